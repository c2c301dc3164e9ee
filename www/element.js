// Elements of the page, made in one expression.
// Not a framework: nothing is remembered or compared. Text is always text, never markup.

/** Properties that can only be read: set as attributes. */
const ATTRIBUTES = new Set(['list', 'form'])

/** An element with properties, listeners (`onclick`), attributes (`'aria-label'`) and children; empty children are left out. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name)
  for (const [property, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue
    if (property in made && !ATTRIBUTES.has(property)) made[property] = value
    else made.setAttribute(property, value === true ? '' : value)
  }
  made.append(...children.flat().filter(child => child !== undefined && child !== null && child !== false))
  return made
}

export const byId = id => document.getElementById(id)

// Random documents, filters and updates, over few names and few values, so that much matches. Not tests; runs anywhere.

/** Makes cases; `random` gives numbers in [0, 1). */
export class Cases {
  constructor(random) {
    this.random = random
  }

  whole(below) { return Math.floor(this.random() * below) }
  pick(list) { return list[this.whole(list.length)] }
  is(percent) { return this.random() * 100 < percent }
  list(most, make) { return Array.from({ length: this.whole(most + 1) }, make) }

  number() { return this.pick([0, 1, 2, 3, 4, 5, -1, -3, 1.5, 2.5, 10, 1e6]) }
  text() { return this.pick(['', 'a', 'b', 'ab', 'B', 'xab', 'a b', '5', 'a\nb', '\u00e9']) }
  date() { return new Date(this.pick([0, 1000, 1e12, -5])) }
  bytes() { return Uint8Array.of(this.whole(3), 1) }
  scalar() {
    return [() => this.number(), () => this.text(), () => null, () => this.is(50), () => this.date(), () => this.bytes(), () => this.number(), () => this.text()][this.whole(8)]()
  }
  object() { return this.is(50) ? { p: this.number() } : { p: this.number(), q: this.text() } }
  item() { return { ...(this.is(85) && { n: this.number() }), ...(this.is(70) && { s: this.text() }), ...(this.is(30) && { t: this.list(2, () => this.number()) }) } }
  mixed() {
    return [() => this.scalar(), () => this.object(), () => this.list(3, () => this.scalar()), () => this.list(2, () => this.list(2, () => this.number())), () => [this.item(), this.scalar()], () => 7n][this.whole(6)]()
  }

  /** A document: some fields have one type, `mix` has any; each may be missing, some are null. */
  document(id) {
    const fields = {
      n: () => this.number(), s: () => this.text(), b: () => this.is(50), d: () => this.date(), o: () => ({ ...this.object(), ...(this.is(40) && { r: { z: this.number() } }) }),
      tags: () => this.list(3, () => this.text()), nums: () => this.list(4, () => this.number()), items: () => this.list(3, () => this.item()), mix: () => this.mixed(),
    }
    const document = { id }
    for (const [name, make] of Object.entries(fields)) if (this.is(85)) document[name] = this.is(6) ? null : make()
    return document
  }

  path() {
    return this.pick(['n', 'n', 's', 's', 'b', 'd', 'o', 'o.p', 'o.q', 'o.r.z', 'tags', 'tags.0', 'nums', 'nums', 'nums.1', 'items', 'items.n', 'items.s', 'items.t', 'items.0.n', 'mix', 'mix.0', 'mix.p', 'gone', 'o.gone', 'items.gone'])
  }

  operand() {
    return [() => this.number(), () => this.number(), () => this.text(), () => this.text(), () => null, () => this.is(50), () => this.date(), () => this.bytes(), () => this.object(), () => this.list(2, () => this.number()), () => ({ q: 'a', p: 1 })][this.whole(11)]()
  }

  pattern() {
    return this.pick(['a', '^a', 'b$', '^ab?$', '[^a]', '\\d', 'a.b', '(a|b)+$', '^$', '\\bb', 'A'])
  }

  regex() {
    const options = this.pick(['', '', 'i', 's', 'm', 'im'])
    return this.is(50) ? new RegExp(this.pattern(), options) : { $regex: this.pattern(), $options: options }
  }

  /** What one operator asks of a field. */
  condition(depth = 0) {
    const regex = () => { const regex = this.regex(); return regex instanceof RegExp ? { $regex: regex } : regex }
    const simple = [
      () => ({ [this.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'])]: this.operand() }),
      () => ({ [this.pick(['$gt', '$gte'])]: this.number(), [this.pick(['$lt', '$lte'])]: this.number() }),
      () => ({ [this.pick(['$in', '$nin'])]: this.list(3, () => (this.is(12) ? new RegExp(this.pattern()) : this.operand())) }),
      () => ({ $exists: this.is(50) }),
      () => ({ $type: this.is(70) ? this.type() : [this.type(), this.type()] }),
      regex,
      () => ({ $size: this.whole(4) }),
      () => ({ $all: this.list(2, () => (this.is(15) ? { $elemMatch: this.element(2) } : this.operand())) }),
      () => ({ $mod: [this.pick([2, 3, -2, 4]), this.pick([0, 1, -1])] }),
    ]
    const nested = [() => ({ $not: this.is(20) ? new RegExp(this.pattern()) : this.condition(depth + 1) }), () => ({ $elemMatch: this.element(depth + 1) })]
    return this.pick(depth < 2 ? [...simple, ...nested, simple[0], simple[0]] : simple)()
  }

  type() { return this.pick(['double', 'string', 'object', 'array', 'bool', 'date', 'null', 'int', 'number', 2, 8, 16]) }

  element(depth) {
    if (this.is(50)) return this.condition(Math.max(depth, 1))
    const fields = Object.fromEntries(this.list(2, () => [this.pick(['n', 's', 't']), this.is(40) ? this.operand() : this.condition(2)]))
    return this.is(15) ? { $or: [fields, { n: this.number() }] } : fields
  }

  filter(depth = 0) {
    const filter = {}
    const count = 1 + this.whole(3)
    for (let index = 0; index < count; index++) {
      if (depth < 2 && this.is(18)) filter[this.pick(['$and', '$or', '$nor'])] = [this.filter(depth + 1), ...this.list(1, () => this.filter(depth + 1))]
      else filter[this.path()] = this.is(35) ? this.value() : this.condition()
    }
    return filter
  }

  value() { return this.is(10) ? new RegExp(this.pattern()) : this.operand() }

  /** An update: each operator has a field of its own, so that none are in conflict. */
  update() {
    const fields = ['n', 's', 'o', 'tags', 'nums', 'items', 'mix', 'new', 'other']
    const update = {}
    for (let count = 1 + this.whole(3); count > 0; count--) {
      const field = fields.splice(this.whole(fields.length), 1)[0]
      const [operator, path, operand] = this.change(field)
      update[operator] = { ...update[operator], [path]: operand }
    }
    return update
  }

  change(field) {
    const below = { o: ['o', 'o.p', 'o.q', 'o.new', 'o.r.z', 'o.r.new.x'], nums: ['nums', 'nums.0', 'nums.6'], items: ['items', 'items.0.n', 'items.1', 'items.3.s', 'items.n'], mix: ['mix', 'mix.p', 'mix.0'], new: ['new', 'new.x.y'] }
    const path = this.pick(below[field] ?? [field])
    const scalar = () => this.pick([this.number(), this.text(), null, this.date(), this.object(), this.list(2, () => this.number())])
    const element = () => (field === 'items' ? this.item() : field === 'tags' ? this.text() : this.is(80) ? this.number() : scalar())
    const elements = this.pick([path, field, field])
    return this.pick([
      () => ['$set', path, scalar()],
      () => ['$unset', path, ''],
      () => ['$inc', this.pick([path, 'n.x'].slice(0, field === 'n' ? 2 : 1)), this.number()],
      () => ['$mul', path, this.number()],
      () => ['$bit', path, { [this.pick(['and', 'or', 'xor'])]: this.pick([0, 1, 2, 5, -1, -3, 1e6]) }],
      () => ['$pullAll', elements, this.list(3, element)],
      () => [this.pick(['$min', '$max']), path, this.pick([this.number(), this.text(), this.date(), null])],
      () => ['$rename', path, this.pick([`to_${field}`, `to_${field}.x`, field === 'n' ? 'b' : `to_${field}`])],
      () => ['$push', elements, this.is(40) ? element() : this.pushed(element, field)],
      () => ['$addToSet', elements, this.is(50) ? element() : { $each: this.list(3, element) }],
      () => ['$pop', elements, this.pick([1, -1])],
      () => ['$pull', elements, field === 'items' ? { n: this.is(50) ? this.number() : { $gt: this.number() } } : this.pick([element, () => this.condition(2)])()],
    ])()
  }

  pushed(element, field) {
    return {
      $each: this.list(3, element),
      ...(this.is(40) && { $position: this.pick([0, 1, 2, -1, -2, 9]) }),
      ...(this.is(40) && { $sort: field === 'items' ? { n: this.pick([1, -1]) } : this.pick([1, -1]) }),
      ...(this.is(40) && { $slice: this.pick([0, 1, 3, -1, -2, 8]) }),
    }
  }

  /** An update of elements: `$[]`, `$[x]` with array filters, or `$` with what the filter says. */
  positional() {
    const field = this.pick(['items', 'nums', 'tags', 'mix'])
    const isObjects = field === 'items'
    const test = () => (isObjects ? undefined : this.is(50) ? this.operand() : { [this.pick(['$gt', '$lte', '$ne', '$eq'])]: field === 'tags' ? this.text() : this.number() })
    const step = this.pick(['$[]', '$[x]', '$'])
    const path = isObjects ? `items.${step}.${this.pick(['n', 's', 'new', 'new.x'])}` : `${field}.${step}`
    const [operator, operand] = this.pick([['$set', this.number()], ['$inc', this.number()], ['$mul', 2], ['$bit', { xor: 5 }], ['$max', this.number()], ['$unset', '']])
    const condition = isObjects ? { [this.pick(['$gt', '$lte', '$eq'])]: this.number() } : test()
    return {
      update: { [operator]: { [path]: operand } },
      arrayFilters: step === '$[x]' ? [{ [isObjects ? 'x.n' : 'x']: condition }] : [],
      filter: step === '$' ? { [isObjects ? 'items.n' : field]: condition } : {},
    }
  }
}

// Objects from columns: one function for each number of fields.
//
// Not one for all: an engine that sees a place in the code store under one name only stores at once, and looks the name
// up each time where it sees several. Measured in V8, ten fields: 18 ns an object where a page reads one shape of ten
// fields, 135 where it reads more of them; an object literal with computed names 44 and 850; a loop 150 in any case.
// Invariants: fields come in the order of their names; `__proto__` becomes a field like any other.

type Fields = Record<string, unknown>
/** Fills `made` with objects; the values of each field lie in its column. */
type Maker = (names: readonly any[], columns: readonly any[], made: unknown[]) => void

/** Objects with these fields. */
export function makeObjects(names: readonly string[], columns: readonly ArrayLike<unknown>[], count: number): unknown[] {
  const made = new Array<unknown>(count)
  const maker = names.includes('__proto__') ? undefined : MAKERS[names.length - 1]
  ;(maker ?? makeAny)(names, columns, made)
  return made
}

const makeAny: Maker = (names, columns, made) => {
  for (let i = 0; i < made.length; i++) {
    const object: Fields = {}
    for (let field = 0; field < names.length; field++) {
      const value: unknown = columns[field][i]
      if (names[field] === '__proto__') Object.defineProperty(object, '__proto__', { value, enumerable: true, configurable: true, writable: true })
      else object[names[field]] = value
    }
    made[i] = object
  }
}

const MAKERS: readonly Maker[] = [
  ([n0], [c0], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]
      made[i] = o
    }
  },
  ([n0, n1], [c0, c1], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]
      made[i] = o
    }
  },
  ([n0, n1, n2], [c0, c1, c2], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3], [c0, c1, c2, c3], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4], [c0, c1, c2, c3, c4], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5], [c0, c1, c2, c3, c4, c5], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6], [c0, c1, c2, c3, c4, c5, c6], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7], [c0, c1, c2, c3, c4, c5, c6, c7], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7, n8], [c0, c1, c2, c3, c4, c5, c6, c7, c8], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      o[n8] = c8[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7, n8, n9], [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      o[n8] = c8[i]; o[n9] = c9[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10], [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      o[n8] = c8[i]; o[n9] = c9[i]; o[n10] = c10[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11], [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      o[n8] = c8[i]; o[n9] = c9[i]; o[n10] = c10[i]; o[n11] = c11[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12], [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      o[n8] = c8[i]; o[n9] = c9[i]; o[n10] = c10[i]; o[n11] = c11[i]; o[n12] = c12[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13], [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      o[n8] = c8[i]; o[n9] = c9[i]; o[n10] = c10[i]; o[n11] = c11[i]; o[n12] = c12[i]; o[n13] = c13[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14], [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      o[n8] = c8[i]; o[n9] = c9[i]; o[n10] = c10[i]; o[n11] = c11[i]; o[n12] = c12[i]; o[n13] = c13[i]; o[n14] = c14[i]
      made[i] = o
    }
  },
  ([n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, n15], [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15], made) => {
    for (let i = 0; i < made.length; i++) {
      const o: Fields = {}
      o[n0] = c0[i]; o[n1] = c1[i]; o[n2] = c2[i]; o[n3] = c3[i]; o[n4] = c4[i]; o[n5] = c5[i]; o[n6] = c6[i]; o[n7] = c7[i]
      o[n8] = c8[i]; o[n9] = c9[i]; o[n10] = c10[i]; o[n11] = c11[i]; o[n12] = c12[i]; o[n13] = c13[i]; o[n14] = c14[i]; o[n15] = c15[i]
      made[i] = o
    }
  },
]

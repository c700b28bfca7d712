/** The products of the shop. */
export const products = [
  {
    id: 'lamp',
    name: 'Halo lamp',
    price: 89,
    tint: '#f7e3b5',
    text: 'A warm, dimmable light for long evenings. Opal glass on a brass foot.',
  },
  {
    id: 'chair',
    name: 'Fern chair',
    price: 189,
    tint: '#cfe3d4',
    text: 'Bent oak and a woven seat, made to be sat on for hours.',
  },
  {
    id: 'desk',
    name: 'Plain desk',
    price: 420,
    tint: '#e8d5c4',
    text: 'One solid board, two drawers and room for everything else.',
  },
  {
    id: 'rug',
    name: 'Dune rug',
    price: 140,
    tint: '#f3d1c1',
    text: 'Hand-tufted wool in the colours of a beach at six in the evening.',
  },
  {
    id: 'clock',
    name: 'Noon clock',
    price: 65,
    tint: '#cddcec',
    text: 'Silent, large and easy to read from the other end of the room.',
  },
  {
    id: 'vase',
    name: 'Reed vase',
    price: 48,
    tint: '#dcd3ea',
    text: 'Thrown by hand, so no two are the same. Holds one branch or twelve.',
  },
]

export const productOf = (id) => products.find((product) => product.id === id)

export const euro = (amount) => `€${amount.toFixed(2)}`

// The work that a browser does when the server asks whether somebody is there: eight small puzzles over SHA-256, a slice at a time, so
// that the page stays quick. Computed here and not by WebCrypto, which pages over plain http do not have.

const SLICE_MS = 12, SEED_CHARS = 24; // of the signature at the token's end: with the rest it is one block
const K = new Uint32Array(64), H = new Uint32Array(8);
for (let n = 2, i = 0; i < 64; n++) { // the constants are fractions of roots of the first primes
  let prime = true;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
  if (!prime) continue;
  if (i < 8) H[i] = (n ** (1 / 2) % 1) * 2 ** 32;
  K[i++] = (n ** (1 / 3) % 1) * 2 ** 32;
}
const W = new Uint32Array(64), turn = (x, n) => (x >>> n) | (x << (32 - n));

function mix(state) {
  for (let i = 16; i < 64; i++) {
    const a = W[i - 15], b = W[i - 2];
    W[i] = W[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + W[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const x = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const y = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + x) | 0; d = c; c = b; b = a; a = (x + y) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((v, i) => { state[i] += v; });
}

/** The first 32 bits of the SHA-256 of an ASCII text. */
export function sha256Head(text) {
  const state = H.slice(), length = text.length, blocks = ((length + 8) >> 6) + 1;
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < 16; i++) {
      let word = 0;
      for (let j = 0; j < 4; j++) {
        const at = block * 64 + i * 4 + j;
        word = (word << 8) | (at < length ? text.charCodeAt(at) : at === length ? 128 : 0);
      }
      W[i] = word;
    }
    if (block === blocks - 1) W[15] = length * 8;
    mix(state);
  }
  return state[0];
}

/** "token:n,n,…", for the header. Throws when `signal` is aborted. */
export async function solve({ token, parts, bits }, signal) {
  const found = [], seed = token.slice(-SEED_CHARS);
  for (let part = 0; part < parts; part++) {
    for (let n = 0, until = performance.now() + SLICE_MS; ; n++) {
      if (sha256Head(`${seed}:${part}:${n}`) >>> (32 - bits) === 0) { found.push(n); break; }
      if (n % 64 === 0 && performance.now() > until) {
        await new Promise((next) => { setTimeout(next); });
        if (signal?.aborted) throw new DOMException('', 'AbortError');
        until = performance.now() + SLICE_MS;
      }
    }
  }
  return `${token}:${found.join(',')}`;
}

/** Bytes as letters (BCR-2020-012, minimal form): two letters a byte, and a checksum at the end. */

/** First and last letter of each of the 256 words, in order. */
const PAIRS =
  "aeadaoaxaaahamatayasbkbdbnbtbabsbebybgbwbbbzcmchcscfcycwcecackct" +
  "cxclcpcndkdadsdidedtdrdndwdpdmdldyeheyeoeeecenemetesftfrfnfsfmfh" +
  "fzfpfwfxfyfefgflfdgagegrgsgtglgwgdgygmgughgohfhghdhkhthphhhlhyhe" +
  "hnhsidiaieihiyioisinimjejzjnjtjljojsjpjkjykpkoktkskkknkgkekikblb" +
  "lalylflslrlplnltloldlelulklgmnmymhmemomumwmdmtmsmknlnyndnsntnnne" +
  "nboyoeotoxonolospdptpkpypspmplpepfpaprqdqzrerprlrorhrdrkrfryrnrs" +
  "rtsesasrssskswstspsosgsbsfsntotktitttdtetytltbtstptatnuyuoutueur" +
  "vtvyvovlvevwvavdvswlwdwmwpwewywswtwnwzwfwkykynylyaytzszoztzczezm";
const VALUES = new Map(Array.from({ length: 256 }, (_, byte) => [pairOf(byte), byte]));
const CHECKSUM_BYTES = 4;

function pairOf(byte: number): string {
  return PAIRS.slice(2 * byte, 2 * byte + 2);
}

export function toBytewords(bytes: Uint8Array): string {
  return [...bytes, ...fourBytes(crc32(bytes))].map(pairOf).join("");
}

/** The bytes, or null where a pair is no word's or the checksum is another one. */
export function fromBytewords(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || text.length < 2 * CHECKSUM_BYTES) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = VALUES.get(text.slice(2 * at, 2 * at + 2));
    if (byte === undefined) return null;
    bytes[at] = byte;
  }
  const body = bytes.slice(0, -CHECKSUM_BYTES);
  const stated = bytes.slice(-CHECKSUM_BYTES).join();
  return stated === fourBytes(crc32(body)).join() ? body : null;
}

/** The CRC-32 of ISO 3309, as a whole number below 2^32. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Most significant first. */
export function fourBytes(value: number): readonly number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

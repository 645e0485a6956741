// What receipts are written in: base64, JSON in its canonical form (RFC 8785),
// signed notes (c2sp.org/signed-note), and hashes of the tree (RFC 6962).

// Fault is what is wrong with a file, in words for its owner.
export class Fault extends Error {}

const utf8 = new TextEncoder();

export const bytesOf = (text) => utf8.encode(text);

// textOf reads UTF-8, and refuses what is none.
export function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Fault("内容不是文字。");
  }
}

export function join(...parts) {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

// toBase64 writes base64 with padding (RFC 4648 §4).
export function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

// fromBase64 reads base64 with padding, and nothing that could be written
// otherwise.
export function fromBase64(text) {
  let decoded;
  try {
    decoded = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    throw new Fault("有一处不是 base64。");
  }
  if (toBase64(decoded) !== text) throw new Fault("有一处不是规范的 base64。");
  return decoded;
}

// fromBase64URL reads base64url without padding (RFC 7515 §2).
export function fromBase64URL(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Fault("有一处不是 base64url。");
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(plain + "=".repeat((4 - (plain.length % 4)) % 4));
}

export function toBase64URL(bytes) {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function parseJSON(text, what) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault(`${what}不是 JSON。`);
  }
}

// canonical writes a value in the form of RFC 8785, which takes numbers and
// strings from ECMAScript, and sorts names by their UTF-16 units, as sort does.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join(",")}}`;
}

export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
}

// leafHash is that of a leaf in the tree (RFC 6962 §2.1).
export const leafHash = (leaf) => sha256(Uint8Array.of(0), leaf);

// rootFrom gives the root that a leaf and its proof lead to, or null where the
// proof is not one for this place in a tree of this size (RFC 9162 §2.1.3.2).
export async function rootFrom(hash, index, size, proof) {
  if (index < 0n || index >= size) return null;
  let [place, last, root] = [index, size - 1n, hash];
  for (const sibling of proof) {
    if (last === 0n) return null;
    if (place & 1n || place === last) {
      root = await sha256(Uint8Array.of(1), sibling, root);
      while (!(place & 1n) && place !== 0n) [place, last] = [place >> 1n, last >> 1n];
    } else {
      root = await sha256(Uint8Array.of(1), root, sibling);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  return last === 0n ? root : null;
}

// parseSize reads a decimal number without a leading zero.
function parseSize(text, what) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text ?? "")) throw new Fault(`${what}不是数字。`);
  return BigInt(text);
}

function parseHash(line) {
  const hash = fromBase64(line);
  if (hash.length !== 32) throw new Fault("有一行不是哈希。");
  return hash;
}

// parseProof reads the text of a proof (c2sp.org/tlog-proof).
export function parseProof(text) {
  const cut = text.indexOf("\n\n");
  const lines = cut < 0 ? [] : text.slice(0, cut).split("\n");
  if (lines.shift() !== "c2sp.org/tlog-proof@v1") throw new Fault("存证证明的第一行不对。");
  if (lines[0]?.startsWith("extra ")) lines.shift(); // nothing vouches for it
  const first = lines.shift() ?? "";
  if (!first.startsWith("index ")) throw new Fault("存证证明缺少序号。");
  if (lines.length > 63) throw new Fault("存证证明的哈希过多。");
  return { index: parseSize(first.slice(6), "序号"), hashes: lines.map(parseHash), checkpoint: parseCheckpoint(text.slice(cut + 2)) };
}

// parseCheckpoint reads a signed checkpoint (c2sp.org/tlog-checkpoint).
export function parseCheckpoint(text) {
  const cut = text.lastIndexOf("\n\n");
  if (cut < 0 || !text.endsWith("\n")) throw new Fault("检查点没有签名。");
  const body = text.slice(0, cut + 1);
  const signatures = text.slice(cut + 2, -1).split("\n").map((line) => {
    const parts = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/.exec(line);
    const raw = parts ? fromBase64(parts[2]) : [];
    if (raw.length < 5) throw new Fault("检查点的签名行不对。");
    return { name: parts[1], id: hex(raw.slice(0, 4)), bytes: raw.slice(4) };
  });
  const [origin, size, root] = body.split("\n");
  return { origin, size: parseSize(size, "检查点的条数"), root: parseHash(root ?? ""), body, signatures };
}

// parseVerifierKey reads a verifier key of this type: 1 for a log, 4 for a
// witness. Its id must be that of its name and key.
export async function parseVerifierKey(text, type) {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text);
  const raw = parts ? fromBase64(parts[3]) : [];
  if (raw.length !== 33 || raw[0] !== type) throw new Fault(`公钥文件中的 ${text} 不是所需的公钥。`);
  const id = hex((await sha256(bytesOf(`${parts[1]}\n`), raw)).slice(0, 4));
  if (id !== parts[2]) throw new Fault(`公钥文件中的 ${text} 与其编号不符。`);
  return { name: parts[1], id, key: raw.slice(1) };
}

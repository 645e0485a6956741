// Verifies a receipt with the published keys. It knows no page and sends
// nothing.
//
// A step is { name, state, text }. The states: holds, fails, open (this browser
// cannot tell), none (the receipt does not hold what the step is about).

import {
  Fault, bytesOf, canonical, fromBase64, fromBase64URL, hex, leafHash, parseJSON, parseProof, parseVerifierKey, rootFrom, same, sha256,
  textOf, toBase64URL,
} from "./encoding.mjs";

const command = "请改用命令核验：mianti receipt verify 凭证文件 --keys 公钥文件";

// mostFile is how long a file may be, in characters.
export const mostFile = 4 << 20;

// readReceipts reads a file: one receipt, or an answer of the API with several.
export function readReceipts(text) {
  if (text.length > mostFile) throw new Fault("凭证文件过大。");
  const file = parseJSON(text, "凭证文件");
  const receipts = (Array.isArray(file?.items) ? file.items : [file]).filter((r) => r && typeof r === "object" && (isText(r.evidence) || isText(r.leaf)));
  if (receipts.length === 0) throw new Fault("这不是凭证文件：其中没有凭据（evidence），也没有存证（leaf、proof）。");
  return receipts;
}

// readKeys reads the keys document.
export function readKeys(text) {
  if (text.length > mostFile) throw new Fault("公钥文件过大。");
  const keys = parseJSON(text, "公钥文件");
  const lists = [keys?.keys ?? [], keys?.checkpoint ?? [], keys?.witnesses ?? []];
  if (!lists.every(Array.isArray) || lists.every((l) => l.length === 0)) throw new Fault("这不是公钥文件：应含 keys、checkpoint 或 witnesses。");
  return { keys: lists[0], checkpoint: lists[1], witnesses: lists[2] };
}

const isText = (value) => typeof value === "string" && value !== "";

// verify verifies one receipt and gives its steps, what it says, and the verdict.
export async function verify(receipt, keys) {
  const steps = [];
  const said = {};
  await verifyEvidence(receipt, keys, steps, said);
  await verifyLeaf(receipt, steps, said);
  await step(steps, "凭据记入存证", () => linked(said));
  await step(steps, "存证在日志中", () => included(said));
  await step(steps, "检查点签名", () => signedByLog(said, keys));
  await step(steps, "见证签名", () => witnessed(said, keys));
  return { steps, statement: said.statement, entry: said.entry, checkpoint: said.proof?.checkpoint, ...verdict(steps) };
}

// step adds a step. What it throws is why it does not hold.
async function step(steps, name, check) {
  try {
    const [state, text] = await check();
    steps.push({ name, state, text });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    steps.push({ name, state: "fails", text: error.message });
  }
}

function verdict(steps) {
  const by = (state) => steps.filter((s) => s.state === state).map((s) => s.name);
  if (by("fails").length > 0) {
    return { state: "fails", verdict: "核验不通过", meaning: `不成立：${by("fails").join("、")}。这份凭证不能作为依据：它可能被改动过，也可能不是本公钥文件的主人出具的。` };
  }
  if (by("open").length > 0) {
    return { state: "open", verdict: "部分步骤未能核验", meaning: `未能核验：${by("open").join("、")}。其余成立，但不能据此认定凭证有效。` };
  }
  if (by("none").includes("存证在日志中")) {
    return { state: "open", verdict: "凭据成立，未附存证证明", meaning: "凭据由所列公钥签名、未被改动；凭证没有附存证证明，不能说明它已记入日志。" };
  }
  const witnesses = by("none").includes("见证签名") ? "没有见证方的签名，日志的完整性以出具方自己的签名为限。" : "";
  const evidence = by("none").includes("凭据签名") ? "这条存证确已记入日志，未被改动。" : "凭据由所列公钥签名、未被改动，并已记入日志。";
  return { state: "holds", verdict: "核验通过", meaning: evidence + witnesses };
}

// verifyEvidence verifies the signed evidence (RFC 7515), and its digest.
async function verifyEvidence(receipt, keys, steps, said) {
  if (!isText(receipt.evidence)) {
    steps.push({ name: "凭据签名", state: "none", text: "凭证只含存证，不含凭据。" });
    return;
  }
  await step(steps, "凭据签名", async () => {
    const parts = receipt.evidence.split(".");
    if (parts.length !== 3) throw new Fault("凭据不是 JWS 紧凑格式。");
    const header = parseJSON(textOf(fromBase64URL(parts[0])), "凭据的头");
    said.statement = parseJSON(textOf(fromBase64URL(parts[1])), "凭据的内容");
    if (header.typ !== "mianti-evidence+jws" || header.crit !== undefined) throw new Fault("这不是凭据，而是另一种签名文件。");
    const key = keys.keys.find((k) => k && isText(k.kid) && k.kid === header.kid);
    if (!key) throw new Fault(`公钥文件中没有签名所用的公钥 ${header.kid ?? ""}。请取最新的公钥文件。`);
    if (key.alg !== header.alg) throw new Fault(`凭据写明的算法是 ${header.alg}，公钥用于 ${key.alg}。`);
    if (key.kid !== await thumbprint(key)) throw new Fault(`公钥 ${key.kid} 与其编号不符。`);
    inUse(key, said.statement.iat);
    return signedBy(key, bytesOf(`${parts[0]}.${parts[1]}`), fromBase64URL(parts[2]));
  });
  await step(steps, "凭据摘要", async () => {
    if (!said.statement?.evidence) throw new Fault("凭据没有内容。");
    said.digest = `sha256:${hex(await sha256(bytesOf(canonical(said.statement.evidence))))}`;
    if (said.digest !== said.statement.digest) throw new Fault("凭据内容与其摘要不符。");
    return ["holds", said.digest];
  });
}

// thumbprint names a key by what it is (RFC 7638 §3).
async function thumbprint(key) {
  const members = { kty: key.kty, crv: key.crv, x: key.x };
  if (key.y) members.y = key.y;
  return toBase64URL(await sha256(bytesOf(canonical(members))));
}

// inUse holds a key to the time of its use; the clocks of two machines differ.
function inUse(key, issued) {
  const leeway = 60;
  if (!Number.isInteger(issued)) throw new Fault("凭据没有签发时间。");
  if ((key.iat && issued + leeway < key.iat) || (key.exp && issued - leeway > key.exp)) throw new Fault("签发时该公钥不在使用期内。");
}

// signedBy verifies a signature with a published key.
async function signedBy(key, message, signature) {
  let algorithm;
  switch (`${key.alg} ${key.kty} ${key.crv}`) {
    case "ES256 EC P-256":
      algorithm = { import: { name: "ECDSA", namedCurve: "P-256" }, verify: { name: "ECDSA", hash: "SHA-256" } };
      break;
    case "EdDSA OKP Ed25519":
      return ed25519(fromBase64URL(key.x), message, signature, `公钥 ${key.kid}`);
    case "SM2 EC SM2":
      return ["open", `凭据用国密 SM2 签名，浏览器不能核验。${command}`];
    default:
      return ["open", `凭据用 ${key.alg} 签名，本页不认识这种算法。${command}`];
  }
  let imported;
  try {
    imported = await crypto.subtle.importKey("jwk", { kty: key.kty, crv: key.crv, x: key.x, y: key.y }, algorithm.import, false, ["verify"]);
  } catch {
    throw new Fault(`公钥 ${key.kid} 不可用。`);
  }
  if (!await crypto.subtle.verify(algorithm.verify, imported, signature, message)) throw new Fault("签名不成立：凭据被改动过，或不是该公钥的主人签的。");
  return ["holds", `${key.alg}，公钥 ${key.kid}`];
}

// ed25519 verifies where the browser can.
async function ed25519(key, message, signature, by) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return ["open", `这个浏览器不支持 Ed25519 签名。请升级浏览器，或${command.slice(1)}`];
  }
  if (signature.length !== 64 || !await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message)) throw new Fault("签名不成立。");
  return ["holds", `Ed25519，${by}`];
}

// verifyLeaf reads the leaf and the proof. The place stands in both.
async function verifyLeaf(receipt, steps, said) {
  if (!isText(receipt.leaf) && !isText(receipt.proof)) {
    steps.push({ name: "存证格式", state: "none", text: "凭证没有附存证证明。刚刚办理的，几秒后重新取一次即可。" });
    return;
  }
  await step(steps, "存证格式", async () => {
    const leaf = fromBase64(receipt.leaf ?? "");
    const sealed = parseJSON(textOf(leaf), "存证");
    said.leaf = await leafHash(leaf);
    said.entry = sealed.entry;
    said.proof = parseProof(receipt.proof ?? "");
    if (!said.entry || typeof said.entry !== "object") throw new Fault("存证没有内容。");
    if (sealed.index !== undefined && BigInt(sealed.index) !== said.proof.index) throw new Fault("存证的序号与证明不同。");
    return ["holds", `第 ${said.proof.index} 条（从 0 数起），哈希 ${hex(said.leaf)}`];
  });
}

// linked looks whether the entry names the digest of the evidence.
function linked(said) {
  if (!said.statement || !said.entry) return ["none", said.statement ? "没有附存证。" : "没有凭据。"];
  if (!Array.isArray(said.entry.evidence) || !said.entry.evidence.includes(said.digest)) throw new Fault("存证没有写明这份凭据的摘要：凭据与存证不是一对。");
  return ["holds", "存证写明了这份凭据的摘要。"];
}

async function included(said) {
  if (!said.proof) return ["none", "没有附存证证明。"];
  const { index, hashes, checkpoint } = said.proof;
  const root = await rootFrom(said.leaf, index, checkpoint.size, hashes);
  if (!root || !same(root, checkpoint.root)) throw new Fault("证明不成立：由这条存证算不出检查点的根哈希。");
  return ["holds", `检查点共 ${checkpoint.size} 条，由这条存证和 ${hashes.length} 个哈希算出了它的根哈希。`];
}

// signedByLog verifies the log's own signature; of keys that are not known
// nothing is believed.
async function signedByLog(said, keys) {
  if (!said.proof) return ["none", "没有检查点。"];
  const { checkpoint } = said.proof;
  for (const text of keys.checkpoint) {
    const key = await parseVerifierKey(text, 1);
    const of = checkpoint.signatures.find((s) => s.name === key.name && s.id === key.id);
    if (of && key.name === checkpoint.origin) return ed25519(key.key, bytesOf(checkpoint.body), of.bytes, `日志 ${key.name}`);
  }
  throw new Fault(`检查点没有公钥文件中任何日志公钥的签名。检查点自称出自 ${checkpoint.origin}。`);
}

// witnessed verifies the cosignatures (c2sp.org/tlog-cosignature).
async function witnessed(said, keys) {
  if (!said.proof) return ["none", "没有检查点。"];
  const { checkpoint } = said.proof;
  const held = [];
  for (const text of keys.witnesses) {
    const key = await parseVerifierKey(text, 4);
    const of = checkpoint.signatures.find((s) => s.name === key.name && s.id === key.id);
    if (!of) continue;
    if (of.bytes.length !== 72) throw new Fault(`${key.name} 的见证签名长度不对。`);
    const at = new DataView(of.bytes.buffer, of.bytes.byteOffset).getBigUint64(0);
    const [state, why] = await ed25519(key.key, bytesOf(`cosignature/v1\ntime ${at}\n${checkpoint.body}`), of.bytes.slice(8), key.name);
    if (state !== "holds") return [state, why];
    held.push(`${key.name}（${new Date(Number(at) * 1000).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai" })}）`);
  }
  if (held.length === 0) return ["none", keys.witnesses.length === 0 ? "公钥文件没有列出见证方。" : "这个检查点还没有见证方的签名。"];
  return ["holds", `见证方证明日志只增不改：${held.join("、")}`];
}

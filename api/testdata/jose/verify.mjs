// Verifies evidence with the published keys and nothing else of ours, and
// computes its digest anew.
import { createHash } from "node:crypto";
import { compactVerify, createLocalJWKSet } from "jose";

const { keys, evidence, forged } = JSON.parse(process.argv[2]);
// A set may hold keys that this program does not know, such as those for SM2.
const known = createLocalJWKSet({ keys: keys.keys });
const options = { algorithms: ["ES256", "EdDSA"] };

// RFC 8785, for what evidence holds.
function canonical(value) {
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return "{" + Object.keys(value).sort().map((k) => JSON.stringify(k) + ":" + canonical(value[k])).join(",") + "}";
}

const { payload, protectedHeader } = await compactVerify(evidence, known, options);
const statement = JSON.parse(new TextDecoder().decode(payload));
const digest = "sha256:" + createHash("sha256").update(canonical(statement.evidence)).digest("hex");
let refused = "it was taken";
try {
  await compactVerify(forged, known, options);
} catch (error) {
  refused = error.code;
}
console.log(JSON.stringify({ alg: protectedHeader.alg, digest, stated: statement.digest, issuer: statement.iss, forged: refused }));

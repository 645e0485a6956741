// Reads a JSON-LD document on standard input and prints it as N-Quads. Nothing is
// fetched: a context that is not in the document is an error.
import jsonld from 'jsonld';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const document = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const documentLoader = (url) => { throw new Error('asked for ' + url); };
process.stdout.write(await jsonld.toRDF(document, { format: 'application/n-quads', documentLoader, safe: true }));

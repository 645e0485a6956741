// Reads the JSON-LD document in a file and prints it as N-Quads. Nothing is fetched: a
// context that is not in the document is an error.
import { readFileSync } from 'node:fs';
import jsonld from 'jsonld';

const document = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const documentLoader = (url) => { throw new Error('asked for ' + url); };
process.stdout.write(await jsonld.toRDF(document, { format: 'application/n-quads', documentLoader, safe: true }));

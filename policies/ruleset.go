package policies

// Ruleset names the rules in this package. It is recorded with every decision.
// After the date stand the first twelve digits of the SHA-256 of the package's
// sources but this one, so that it names the very rules; a test computes it.
const Ruleset = "2026-11-27+f3c4b604001c"

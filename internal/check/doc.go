// Package check holds the repository to its own rules: which package may import
// which, what may stand only in certain folders, and that the documents name
// what the code has. It is tests alone, and promises nothing to other packages.
//
// The sources are read and parsed in the test's own process. A test that asked
// the go command instead would pass from the test cache after a bad import.
package check

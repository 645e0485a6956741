package catalog

// Condition is a compiled CEL expression.
type Condition struct{}

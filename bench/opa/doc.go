// Package opa holds a decision of the exchange beside one of Open Policy Agent, in
// one run. It is a module of its own, so that the exchange does not depend on what
// it is compared with; `make bench-opa` runs it.
package opa

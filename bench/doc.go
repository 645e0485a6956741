// Package bench measures the exchange. `make bench` runs it; docs/performance.md
// says how to read the figures. Nothing here runs in an ordinary test run.
package bench

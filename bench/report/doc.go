// Package report puts what was measured into the documents: texts between markers,
// and charts as SVG that are read on a light page and on a dark one. It asks nobody
// and keeps nothing.
package report

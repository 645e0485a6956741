// Package journeys walks through the pages as people do: in a real browser, at the
// running demonstration, one main journey for each audience. It has tests alone.
//
//	go test ./web/journeys
//	make pictures                     # writes a picture of every page
package journeys

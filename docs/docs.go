// Package docs holds the pages that a running server shows.
package docs

import _ "embed" // the pages

// Problems is problems.md, to which the type of every problem points.
//
//go:embed problems.md
var Problems string

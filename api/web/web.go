// Package web holds the pages that people read, as templates. They need no script, and their letters are
// large enough for old eyes.
package web

import (
	_ "embed" // the pages
	"html/template"
)

//go:embed policy.html
var policy string

// Policy is the page of a rule set.
var Policy = template.Must(template.New("policy").Parse(policy))

//go:embed record.html
var record string

// Record is the page of a service record.
var Record = template.Must(template.New("record").Parse(record))

//go:embed statement.html
var statement string

// Statement is the page of a statement.
var Statement = template.Must(template.New("statement").Parse(statement))

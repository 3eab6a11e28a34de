// Package gen is generated from openapi.yaml; its types never leave package api.
package gen

import _ "embed" // the contract

//go:generate go tool oapi-codegen -config config.yaml ../../openapi.yaml
//go:generate cp ../../openapi.yaml openapi.yaml

// Contract is openapi.yaml, as it is served.
//
//go:embed openapi.yaml
var Contract []byte

// Package gen is generated from openapi.yaml; its types never leave package api.
package gen

//go:generate go tool oapi-codegen -config config.yaml ../../openapi.yaml

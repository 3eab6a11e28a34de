package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"timebank/api/auth"
	"timebank/api/gen"
	"timebank/docs"
)

// CreateToken issues an access token for client credentials.
func (s *Server) CreateToken(ctx context.Context, r gen.CreateTokenRequestObject) (gen.CreateTokenResponseObject, error) {
	if r.Body.GrantType != "client_credentials" {
		return nil, invalid("grant_unsupported", "grant_type is client_credentials")
	}
	id, secret := deref(r.Body.ClientId), deref(r.Body.ClientSecret)
	if c := callOf(ctx); c.basicID != "" {
		if id != "" || secret != "" {
			return nil, invalid("field_repeated", "send the credentials in the form or by HTTP Basic, not both")
		}
		id, secret = c.basicID, c.basicSecret
	}
	token, err := s.auth.Issue(ctx, id, secret, deref(r.Body.Scope))
	if err != nil {
		return nil, err
	}
	return gen.CreateToken200JSONResponse{AccessToken: token.Text, TokenType: "Bearer", ExpiresIn: int(auth.Lifetime / time.Second),
		Scope: gen.TokenScope(token.Scope)}, nil
}

// GetKeys gives the public keys of tokens.
func (s *Server) GetKeys(context.Context, gen.GetKeysRequestObject) (gen.GetKeysResponseObject, error) {
	id, x := s.auth.PublicKey()
	key := gen.Key{Kty: "OKP", Crv: "Ed25519", Use: "sig", Alg: "EdDSA", Kid: id, X: x}
	return gen.GetKeys200JSONResponse{Keys: []gen.Key{key}}, nil
}

// GetHealth answers as long as the process does.
func (s *Server) GetHealth(context.Context, gen.GetHealthRequestObject) (gen.GetHealthResponseObject, error) {
	return gen.GetHealth200JSONResponse{Status: "ok"}, nil
}

const (
	readyTimeout = 5 * time.Second
	// checkpointAgeMax is how long an acknowledged entry may stay without a signed checkpoint.
	checkpointAgeMax = 60 * time.Second
)

var errStale = errors.New("no checkpoint was signed for a minute")

// GetReadiness says whether the book can be written and is being signed.
func (s *Server) GetReadiness(ctx context.Context, _ gen.GetReadinessRequestObject) (gen.GetReadinessResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	r, err := s.book.Ready(ctx)
	if err == nil && r.CheckpointAge > checkpointAgeMax {
		err = errStale
	}
	if err != nil {
		return nil, &fault{http.StatusServiceUnavailable, "not_ready", "the book cannot be written now", nil}
	}
	return gen.GetReadiness200JSONResponse{Status: "ready", SchemaVersion: r.SchemaVersion, LogSize: r.LogSize, CheckpointSize: r.CheckpointSize,
		CheckpointAgeSeconds: int64(r.CheckpointAge / time.Second)}, nil
}

// GetContract gives openapi.yaml.
func (s *Server) GetContract(context.Context, gen.GetContractRequestObject) (gen.GetContractResponseObject, error) {
	return plain{http.StatusOK, "application/yaml", string(gen.Contract)}, nil
}

// GetProblems gives the page to which the type of every problem points.
func (s *Server) GetProblems(context.Context, gen.GetProblemsRequestObject) (gen.GetProblemsResponseObject, error) {
	return plain{http.StatusOK, "text/markdown; charset=utf-8", docs.Problems}, nil
}

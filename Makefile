# Each target is one line that a person could type.

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: demo test check race fuzz lint generate golden bench build imports coverage

demo: # a small city, its story, and a server to try; ARGS=--exit ends after the story
	.ci/install-postgresql && go build -o bin/timebank ./cmd/timebank && bin/timebank demo $(ARGS)

test: # everything, on a real PostgreSQL
	.ci/install-postgresql && go test ./...

check: # all that CI runs
	.ci/check

race: # where goroutines meet
	.ci/install-postgresql && go test -race ./api/... ./ledger/book/... ./ledger/localpg/...

fuzz: # each target for ten seconds
	.ci/fuzz 10s

lint: # the first time builds the linter, about a minute
	go run $(GOLANGCI) run ./...

generate: # openapi.yaml to api/gen
	go generate ./...

golden: # writes golden files anew; read the change before committing it
	go test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -n1 dirname | sort -u) -update

bench: # writing, reading and checking, beside pgbench on the same server
	.ci/install-postgresql && go build -o bin/ ./cmd/... && bin/timebank bench $(ARGS)

build: # the commands, into bin
	go build -o bin/ ./cmd/...

imports: # writes the list of imports anew; read the change before committing it
	.ci/imports --update

coverage: # what the tests reach, as a page
	mkdir -p bin && go test -coverpkg=./... -coverprofile=coverage.out ./... && go tool cover -html=coverage.out -o bin/coverage.html

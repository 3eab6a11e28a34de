// Package localpg runs a private PostgreSQL server from the binaries on the machine: on a Unix socket
// alone, in a data folder of its own, as whoever started the program (as root it drops to the user
// postgres, or nobody, since PostgreSQL refuses to run as root).
//
// A server that died, or whose owner died, recovers at the next start. A folder has one owner at a time,
// held by a lock on a file in it. A crash of PostgreSQL is reported through [Server.Done] and
// [Server.Err].
//
// The folder belongs to the owner, and only pgdata and socket in it to the server's user: what else the
// owner keeps there, such as keys, stays out of the server's reach.
package localpg

// Package postgres is the fleet's inbox: one PostgreSQL database, version 12 or
// newer, that any number of ingresses and workers share.
package postgres

// Package fleet runs a whole fleet as plain processes on one machine: PostgreSQL,
// a Temporal server on it, ingresses behind a load balancer, and workers. It is the
// topology of docker-compose.yml and of the Helm chart where there is no container
// engine, with the same settings from deploy/settings.
//
// Every member can be killed, frozen and started again by name, and each link
// between two of them can be led through a proxy: that is what the chaos suite does.
// A process that ends by itself is started again, as an orchestrator would. All of
// them end with the process that started them, also when that one is killed.
//
// It is for trying out and for tests: PostgreSQL and Temporal trust everybody on
// this machine. `make fleet` runs it by deploy/fleet/up.
package fleet

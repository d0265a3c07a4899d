package main

import (
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/engines/singlestore"
)

// kinds is THE table of database kinds, one line each.
func kinds() []engines.Engine {
	return []engines.Engine{
		singlestore.New(),
		perconaxtradb.New(),
	}
}

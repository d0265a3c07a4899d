package singlestore

import (
	"testing"

	"github.com/drydock-db/drydock/engines/enginetest"
)

func TestProperties(t *testing.T) { enginetest.Properties(t, New()) }

func FuzzEngine(f *testing.F) { enginetest.Fuzz(f, New()) }

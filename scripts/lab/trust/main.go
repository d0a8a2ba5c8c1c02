// Command trust is trust-manager itself; as a program of a module of ours, so that go.mod requires it directly.
package main

import (
	"log"

	"github.com/cert-manager/trust-manager/cmd/trust-manager/app"
)

func main() {
	if err := app.NewCommand().Execute(); err != nil {
		log.Fatal(err)
	}
}

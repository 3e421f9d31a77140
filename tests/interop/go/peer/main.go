// Command peer drives the in-toto-golang library where its own command line has no way to.
package main

import (
	"fmt"
	"os"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 2 && args[0] == "load" {
		_, err := intoto.LoadMetadata(args[1])
		return err
	}
	return fmt.Errorf("usage: peer load FILE")
}

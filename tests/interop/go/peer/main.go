// Command peer drives the in-toto-golang library where its own command line has no way to.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 5 && args[0] == "demo-layout":
		return demoLayout(args[1], args[2], args[3], args[4])
	case len(args) == 4 && args[0] == "matrix":
		return matrix(args[1], args[2], args[3])
	case len(args) == 1 && args[0] == "judge":
		return judge()
	case len(args) == 1 && args[0] == "record":
		return record()
	case len(args) == 2 && args[0] == "bench":
		return bench(args[1])
	case len(args) > 1 && args[0] == "measure":
		return measure(args[1:])
	}
	return fmt.Errorf("usage: peer demo-layout OUT dsse|metablock EXPIRES KEYS | matrix OUT NAME KEYS | judge | record | bench CORPORA | measure COMMAND…")
}

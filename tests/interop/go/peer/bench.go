package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"syscall"
	"time"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
)

const (
	budget = 1500 * time.Millisecond
	rounds = 20
)

// bench times the library on the corpora of `cargo xtask bench` and prints one line per measurement: WORK CORPUS CONTAINER
// MILLISECONDS, the least CPU time of several runs in this process.
func bench(corpora string) error {
	log.SetOutput(io.Discard)
	stdout := os.Stdout
	// The library warns on stdout.
	devNull, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	os.Stdout = devNull
	var owner, signer intoto.Key
	if err := owner.LoadKeyDefaults(filepath.Join(corpora, "alice.pub")); err != nil {
		return err
	}
	if err := signer.LoadKeyDefaults(filepath.Join(corpora, "alice")); err != nil {
		return err
	}
	keys := map[string]intoto.Key{owner.KeyID: owner}
	entries, err := os.ReadDir(corpora)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		for _, container := range []string{"metablock", "dsse"} {
			directory := filepath.Join(corpora, entry.Name(), container)
			path := filepath.Join(directory, "root.layout")
			if _, err := os.Stat(path); err != nil {
				continue
			}
			loaded, err := intoto.LoadMetadata(path)
			if err != nil {
				return err
			}
			works := []struct {
				name string
				work func() error
			}{
				{"parse", func() error { _, err := intoto.LoadMetadata(path); return err }},
				{"sign", func() error { return loaded.Sign(signer) }},
				{"verify", func() error {
					layout, err := intoto.LoadMetadata(path)
					if err != nil {
						return err
					}
					links := filepath.Join(directory, "links")
					_, err = intoto.InTotoVerify(layout, keys, links, "", map[string]string{}, [][]byte{}, false)
					return err
				}},
			}
			for _, w := range works {
				took, err := least(w.work)
				if err != nil {
					return fmt.Errorf("%s %s %s: %w", w.name, entry.Name(), container, err)
				}
				fmt.Fprintf(stdout, "%s %s %s %.4f\n", w.name, entry.Name(), container, float64(took.Microseconds())/1000)
			}
		}
	}
	return nil
}

func least(work func() error) (time.Duration, error) {
	var best, spent time.Duration
	for round := 0; round < rounds; round++ {
		start := cpu(syscall.RUSAGE_SELF)
		if err := work(); err != nil {
			return 0, err
		}
		took := cpu(syscall.RUSAGE_SELF) - start
		if round == 0 || took < best {
			best = took
		}
		spent += took
		if spent > budget {
			break
		}
	}
	return best, nil
}

func cpu(who int) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

//go:build !linux

package main

import "fmt"

func measure(command []string) error {
	return fmt.Errorf("measuring %v needs Linux", command)
}

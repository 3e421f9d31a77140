package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// measure runs a command and prints CPU-MILLISECONDS PEAK-KIBIBYTES, of it and the children it waited for.
func measure(command []string) error {
	child := exec.Command(command[0], command[1:]...)
	child.Stderr = os.Stderr
	if err := child.Run(); err != nil {
		return fmt.Errorf("%v: %w", command, err)
	}
	usage, ok := child.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return fmt.Errorf("no resource usage on this system")
	}
	cpu := float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
	fmt.Printf("%.3f %d\n", cpu, usage.Maxrss)
	return nil
}

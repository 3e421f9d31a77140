package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// cost is what a process used: CPU time in milliseconds, memory at its peak in KiB. The first pair is of the process together with
// the children that it waited for (of the peaks the highest, not the sum), the second of the process alone.
type cost struct {
	all, own, wall   float64
	allPeak, ownPeak int64
}

// measure runs a command and prints ALL-MILLISECONDS ALL-PEAK-KIB OWN-MILLISECONDS OWN-PEAK-KIB WALL-MILLISECONDS.
//
// The kernel counts a child's peak from what its parent had when it was made, and has forgotten a process's own by the time it can be
// waited for. So the child is stopped right before it ends, and asked.
func measure(command []string) error {
	// Only the thread that started a traced process may trace it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child := exec.Command(command[0], command[1:]...)
	child.Stderr = os.Stderr
	// A pipe would need a thread that reads along.
	devNull, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer devNull.Close()
	child.Stdout = devNull
	child.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := child.Start(); err != nil {
		return err
	}
	measured, status, err := follow(child.Process.Pid)
	if err != nil {
		return fmt.Errorf("%v: %w", command, err)
	}
	if !status.Exited() || status.ExitStatus() != 0 {
		return fmt.Errorf("%v: ended with %d", command, status.ExitStatus())
	}
	fmt.Printf("%.3f %d %.3f %d %.3f\n", measured.all, measured.allPeak, measured.own, measured.ownPeak, measured.wall)
	return nil
}

const (
	// Without it a program that becomes another one, as rustup's cargo does, would get a signal for it.
	traceExec     = 0x10
	traceExit     = 0x40
	eventExit     = 6
	cpuClockSched = 2
)

// follow lets the traced process run to its end and hands on every signal that it gets.
func follow(pid int) (cost, syscall.WaitStatus, error) {
	var measured cost
	var status syscall.WaitStatus
	var usage syscall.Rusage
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		return measured, status, err
	}
	if err := syscall.PtraceSetOptions(pid, traceExec|traceExit); err != nil {
		return measured, status, err
	}
	start := time.Now()
	signal := 0
	for {
		if err := syscall.PtraceCont(pid, signal); err != nil {
			return measured, status, err
		}
		if _, err := syscall.Wait4(pid, &status, 0, &usage); err != nil {
			return measured, status, err
		}
		signal = 0
		switch {
		case status.Exited() || status.Signaled():
			measured.all = float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
			measured.allPeak = usage.Maxrss
			measured.wall = float64(time.Since(start).Nanoseconds()) / 1e6
			return measured, status, nil
		case status.Stopped() && status.StopSignal() == syscall.SIGTRAP && status.TrapCause() == eventExit:
			own, err := cpuOf(pid)
			if err != nil {
				return measured, status, err
			}
			measured.own = own
			if measured.ownPeak, err = peakOf(pid); err != nil {
				return measured, status, err
			}
		case status.Stopped() && status.StopSignal() == syscall.SIGTRAP && status.TrapCause() > 0:
			// It has become another program.
		case status.Stopped():
			signal = int(status.StopSignal())
		}
	}
}

// cpuOf reads the CPU clock of another process: all of its threads, none of its children.
func cpuOf(pid int) (float64, error) {
	clock := int32(^pid)<<3 | cpuClockSched
	var now syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		return 0, errno
	}
	return float64(time.Duration(now.Nano())) / 1e6, nil
}

func peakOf(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for _, line := range bytes.Split(status, []byte("\n")) {
		if rest, found := strings.CutPrefix(string(line), "VmHWM:"); found {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("process %d has no VmHWM", pid)
}

package main

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"time"
)

const (
	freezeLimit  = 1500 * time.Millisecond
	freezeRounds = 10
	settleLimit  = 100 * time.Millisecond
)

// stopped is what became of one process that was to be stopped, or to go on.
type stopped struct {
	Pid        int    `json:"pid"`
	StartTicks int64  `json:"start_ticks"`
	Outcome    string `json:"outcome"`
	State      string `json:"state"`
	Why        string `json:"why"`
}

type freezing struct {
	Name      string    `json:"name"`
	Asked     bool      `json:"asked"`
	Rounds    int       `json:"rounds"`
	Frozen    int       `json:"frozen"`
	Complete  bool      `json:"complete"`
	FrozenAt  string    `json:"frozen_at"`
	Processes []stopped `json:"processes"`
}

// freeze stops the matches, then looks again for what was born meanwhile, until a look finds nothing new. It gives
// the last scan and its matches.
func freeze(m matcher, s scan, found matches) (scan, matches, freezing) {
	f := freezing{Name: "freeze", Asked: true}
	done := map[int]stopped{}
	until := time.Now().Add(freezeLimit)
	for fresh := true; fresh && f.Rounds < freezeRounds && time.Now().Before(until); f.Rounds++ {
		fresh = stopNew(found, done)
		if fresh {
			s = scanProcesses()
			found = m.find(s)
		}
		f.Complete = !fresh
	}
	f.settle(found, done)
	return s, found, f
}

// stopNew stops each match that was not tried yet, and says whether there was one.
func stopNew(found matches, done map[int]stopped) bool {
	fresh := false
	for _, m := range found.Matches {
		if last, tried := done[m.Pid]; tried && last.StartTicks == m.StartTicks {
			continue
		}
		fresh = true
		done[m.Pid] = stop(m)
	}
	return fresh
}

func stop(m match) stopped {
	one := stopped{Pid: m.Pid, StartTicks: m.StartTicks}
	switch {
	case m.OwnProgram:
		one.Outcome = "own_program"
	case m.Pid == 1:
		one.Outcome = "impossible"
	default:
		one.Outcome, one.Why = signal(m.Pid, m.StartTicks, syscall.SIGSTOP)
	}
	return one
}

// signal reaches the process that was seen, never another that has its number now.
func signal(pid int, start int64, what syscall.Signal) (outcome, reason string) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return "gone", ""
	}
	defer p.Release()
	if startOf(pid) != start {
		return "gone", ""
	}
	switch err := p.Signal(what); {
	case err == nil:
		return "running", ""
	case errors.Is(err, os.ErrProcessDone):
		return "gone", ""
	default:
		return "denied", errnoName(err)
	}
}

// settle reads the states back: a signal that was taken is not yet a process that stands still.
func (f *freezing) settle(found matches, done map[int]stopped) {
	f.Processes = []stopped{}
	f.Complete = f.Complete && found.Complete
	for _, one := range done {
		one.readBack()
		switch one.Outcome {
		case "frozen":
			f.Frozen++
		case "gone":
		default:
			f.Complete = false
		}
		f.Processes = append(f.Processes, one)
	}
	slices.SortFunc(f.Processes, func(a, b stopped) int { return a.Pid - b.Pid })
	f.Complete = f.Complete && f.Frozen > 0
	if f.Frozen > 0 {
		f.FrozenAt = at(time.Now())
	}
}

// readBack waits a little until every thread stands still.
func (one *stopped) readBack() {
	for until := time.Now().Add(settleLimit); ; time.Sleep(time.Millisecond) {
		one.State = standing(one.Pid)
		if startOf(one.Pid) != one.StartTicks {
			one.Outcome, one.State = "gone", ""
		}
		if one.Outcome != "running" {
			return
		}
		if one.State == "T" {
			one.Outcome = "frozen"
			return
		}
		if one.State == "" || one.State == "Z" || one.State == "X" {
			one.Outcome = "gone"
			return
		}
		if time.Now().After(until) {
			one.Why = map[string]string{"t": "traced"}[one.State]
			return
		}
	}
}

// standing is the state of the thread that is least at rest: a process stands still when all its threads do. One that
// is traced does not: whoever traces it lets it go on.
func standing(pid int) string {
	threads, _ := os.ReadDir(procPath(pid, "task"))
	still := ""
	for _, thread := range threads {
		switch state := stateOf(procPath(pid, "task/"+thread.Name())); state {
		case "t":
			still = state
		case "T":
			if still != "t" {
				still = state
			}
		case "", "Z", "X":
			if still == "" {
				still = state
			}
		default:
			return state
		}
	}
	return still
}

type freezeCheck struct {
	Name      string `json:"name"`
	CheckedAt string `json:"checked_at"`
	Frozen    int    `json:"frozen"`
	Complete  bool   `json:"complete"`
}

// check looks once more at the end: another process may have let them go on.
func (f freezing) check() freezeCheck {
	c := freezeCheck{Name: "freeze_check", CheckedAt: at(time.Now()), Complete: f.Complete}
	for _, one := range f.Processes {
		if one.Outcome != "frozen" {
			continue
		}
		if state := standing(one.Pid); startOf(one.Pid) == one.StartTicks && state == "T" {
			c.Frozen++
		} else {
			c.Complete = false
		}
	}
	return c
}

type thawing struct {
	Name      string    `json:"name"`
	Thawed    int       `json:"thawed"`
	Complete  bool      `json:"complete"`
	Processes []stopped `json:"processes"`
}

// thaw lets those go on that an earlier answer said were frozen.
func thaw(list []frozenProcess) thawing {
	t := thawing{Name: "thaw", Complete: true, Processes: []stopped{}}
	for _, p := range list {
		one := stopped{Pid: p.Pid, StartTicks: p.StartTicks}
		one.goOn()
		if one.Outcome == "thawed" {
			t.Thawed++
		} else if one.Outcome != "gone" && one.Outcome != "other_process" {
			t.Complete = false
		}
		t.Processes = append(t.Processes, one)
	}
	return t
}

func (one *stopped) goOn() {
	if start := startOf(one.Pid); start == 0 {
		one.Outcome = "gone"
		return
	} else if start != one.StartTicks {
		one.Outcome = "other_process"
		return
	}
	one.Outcome, one.Why = signal(one.Pid, one.StartTicks, syscall.SIGCONT)
	for until := time.Now().Add(settleLimit); one.Outcome == "running"; time.Sleep(time.Millisecond) {
		one.State = standing(one.Pid)
		if one.State != "T" {
			one.Outcome = "thawed"
		} else if time.Now().After(until) {
			one.Outcome = "still_stopped"
		}
	}
}

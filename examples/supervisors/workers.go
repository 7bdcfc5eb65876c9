// workers.go - a daemon that starts tasks, and stops them in order
//
//	workers DIRECTORY COMMAND...
//
// Each COMMAND, for sh, runs in DIRECTORY below a fry-run. TERM and INT stop the tasks in the opposite
// order, each when the one before has ended. If this program is killed, -p stops all tasks.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

type task struct {
	command *exec.Cmd
	report  *os.File
}

func start(directory, command string) (*task, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	c := exec.Command("fry-run", "-p", "TERM", "-k", "5s", "--report=fd:3", "--", "sh", "-c", command)
	c.Dir, c.Stdout, c.Stderr = directory, os.Stdout, os.Stderr
	c.ExtraFiles = []*os.File{writer} // descriptor 3, which COMMAND does not get
	return &task{c, reader}, c.Start()
}

func (t *task) stop(number int) error {
	var report struct {
		Cause     string
		Status    int
		Leftovers []struct{ Name string }
	}
	t.command.Process.Signal(syscall.SIGTERM)
	err := json.NewDecoder(t.report).Decode(&report)
	t.command.Wait() // nothing of the task is left now
	fmt.Printf("task %d: %s, status %d, %d left behind\n",
		number, report.Cause, report.Status, len(report.Leftovers))
	return err
}

func main() {
	var tasks []*task
	stops := make(chan os.Signal, 1)
	signal.Notify(stops, syscall.SIGTERM, syscall.SIGINT)
	for _, command := range os.Args[2:] {
		t, err := start(os.Args[1], command)
		if err != nil {
			log.Fatal(err) // -p stops those that were started
		}
		tasks = append(tasks, t)
	}
	fmt.Println("started")
	<-stops
	for i := len(tasks); i > 0; i-- {
		if err := tasks[i-1].stop(i); err != nil {
			log.Print(err)
		}
	}
}

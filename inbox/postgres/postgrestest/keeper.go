package postgrestest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// keeperScript runs the server as a child. Its standard input is a pipe whose
// other end only we hold: the kernel closes it however we die, and then the server
// dies too, also if somebody has frozen it, and its temporary directory goes.
// Its arguments: the log, the directory to remove (or nothing), the command.
const keeperScript = `
log=$1 temporary=$2
shift 2
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
server=$!
echo "$server"
(
	trap '' INT TERM HUP
	cat <&3 >/dev/null
	[ -z "$temporary" ] || : >"$temporary/abandoned"
	kill -CONT "$server"
	kill -QUIT "$server"
) 2>/dev/null >&2 &
watcher=$!
trap '' INT TERM HUP
wait "$server"
[ -z "$temporary" ] || [ ! -e "$temporary/abandoned" ] || rm -rf "$temporary"
kill -9 "$watcher" 2>/dev/null
exit 0
`

// keeper is a server that runs.
type keeper struct {
	leash io.Closer
	pid   int           // of the postmaster
	done  chan struct{} // closed when it has ended
}

func (s *Server) keep(ctx context.Context, args []string) (*keeper, error) {
	temporary := ""
	if s.temporary {
		temporary = s.dir
	}
	arguments := append([]string{"-c", keeperScript, "keeper", s.log(), temporary}, args...)
	command := exec.Command("/bin/sh", arguments...) // it ends when its leash does
	command.SysProcAttr = s.account.process()
	command.Dir = s.dir
	leash, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	k := &keeper{leash: leash, done: make(chan struct{})}
	go func() {
		defer close(k.done)
		_ = command.Wait() // how it ended is in the server's log
	}()
	if err == nil {
		k.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = leash.Close()
		<-k.done
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return k, nil
}

func (k *keeper) running() bool {
	select {
	case <-k.done:
		return false
	default:
		return true
	}
}

// end asks the server to end in a certain way and waits until it has.
func (k *keeper) end(how syscall.Signal) {
	_ = syscall.Kill(k.pid, how)
	_ = syscall.Kill(k.pid, syscall.SIGCONT) // if it was frozen
	<-k.done
	_ = k.leash.Close()
}

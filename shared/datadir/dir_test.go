package datadir

import (
	"bufio"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

var small = Options{CacheBytes: 1 << 20, MemTableBytes: 1 << 20, Writer: "onepane v1.2.3"}

func openDir(t *testing.T, path string, o Options) *Dir {
	t.Helper()
	d, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func eventOf(session, id string) cloudevent.Event {
	return cloudevent.Event{ID: id, Source: "/test", Type: "t", Tenant: session, Data: []byte(`{"id":"` + id + `"}`)}
}

func TestReopenKeepsTheLog(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path, small)
	now := time.Date(2026, 3, 3, 1, 2, 3, 4, time.UTC)
	in := eventOf("contoso", "e1")
	in.Time, in.Subject, in.Trace, in.DataSchema = now, "s", "00-1-2-01", "https://example.test/s"
	if _, err := d.Log("alerts").Append([]cloudevent.Event{in}, now); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = openDir(t, path, small)
	defer d.Close()
	got, err := d.Log("alerts").Read("contoso", 0, 10)
	if err != nil || len(got) != 1 || got[0].Err != nil {
		t.Fatalf("Read = %v, %v", got, err)
	}
	in.Position = 1
	if out := got[0].Event; out.ID != in.ID || !out.Time.Equal(in.Time) || out.Subject != in.Subject || out.Trace != in.Trace ||
		out.DataSchema != in.DataSchema || string(out.Data) != string(in.Data) || out.Position != 1 || !got[0].Published.Equal(now) {
		t.Errorf("read %+v, published %+v", out, in)
	}
	if data, err := d.Log("alerts").DataAt(d.DB, "contoso", 1); err != nil || string(data) != string(in.Data) {
		t.Errorf("Data = %s, %v", data, err)
	}
	if n, err := d.Log("alerts").Append([]cloudevent.Event{eventOf("contoso", "e2")}, now); err != nil || n[0] != 2 {
		t.Errorf("next position = %v, %v", n, err)
	}
}

func TestPositionsAreNeverGivenTwice(t *testing.T) {
	d := OpenMemory()
	l := d.Log("alerts")
	if _, err := l.Append([]cloudevent.Event{eventOf("a", "1"), eventOf("a", "2")}, time.Now()); err != nil {
		t.Fatal(err)
	}
	b := d.DB.NewBatch()
	if err := errors.Join(l.DropEvent(b, "a", 2), l.SetProgress(b, "a", 2), d.Apply(b, false)); err != nil {
		t.Fatal(err)
	}
	d.logs = map[string]*Log{} // as after a restart
	if n, err := d.Log("alerts").LastPosition("a"); err != nil || n != 2 {
		t.Errorf("Last = %d, %v; the dropped position must not come back", n, err)
	}
}

func TestNamesDoNotMix(t *testing.T) {
	d := OpenMemory()
	defer d.Close()
	l := d.Log("alerts")
	names := []string{"", "a", "ab", "a\x00", "a\x00b", "\x01a", "ü", strings.Repeat("x", MaxName)}
	for _, n := range names {
		if _, err := l.Append([]cloudevent.Event{eventOf(n, "of "+n)}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range names {
		got, err := l.Read(n, 0, 10)
		if err != nil || len(got) != 1 || got[0].Event.ID != "of "+n {
			t.Errorf("session %q holds %v, %v", n, got, err)
		}
	}
	if s, err := l.Sessions(); err != nil || len(s) != len(names) {
		t.Errorf("Sessions = %q, %v", s, err)
	}
	if got, _ := d.Log("other").Read("a", 0, 10); len(got) != 0 {
		t.Errorf("another queue sees %v", got)
	}
	if _, err := l.Append([]cloudevent.Event{eventOf(strings.Repeat("x", MaxName+1), "1")}, time.Now()); fault.Of(err) != fault.Invalid {
		t.Errorf("a name too long: %v", err)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(path+"/VERSION", []byte(`{"format":99,"writer":"onepane v9.0.0"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, small)
	if fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "onepane v9.0.0") || !strings.Contains(err.Error(), path) {
		t.Errorf("Open = %v", err)
	}
}

func TestForeignVersionFileIsRefused(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(path+"/VERSION", []byte("17"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, small); fault.Of(err) != fault.Invalid {
		t.Errorf("Open = %v", err)
	}
}

func TestSecondUserIsRefused(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path, small)
	if _, err := Open(path, small); fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), path) {
		t.Errorf("Open while open = %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := openDir(t, path, small).Close(); err != nil {
		t.Error(err)
	}
}

// TestKill9 runs this test binary as the process that gets killed.
func TestKill9(t *testing.T) {
	if path := os.Getenv("DATADIR_CHILD"); path != "" {
		runChild(t, path)
		return
	}
	path := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill9$")
	cmd.Env = append(os.Environ(), "DATADIR_CHILD="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	acknowledged := 0
	for lines.Scan() && acknowledged < 50 {
		if lines.Text() == "appended" {
			acknowledged++
		}
		if acknowledged == 10 {
			if _, err := Open(path, small); err == nil || !strings.Contains(err.Error(), "process ") {
				t.Errorf("Open while a child has it = %v", err)
			}
		}
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed, that is its error
	d := openDir(t, path, small)
	defer d.Close()
	got, err := d.Log("alerts").Read("a", 0, 1<<20)
	if err != nil || len(got) < acknowledged {
		t.Errorf("%d events after the kill, %v; %d were acknowledged", len(got), err, acknowledged)
	}
}

func runChild(t *testing.T, path string) {
	d := openDir(t, path, small)
	for {
		if _, err := d.Log("alerts").Append([]cloudevent.Event{eventOf("a", "1")}, time.Now()); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("appended\n")
	}
}

func TestPowerLoss(t *testing.T) {
	for seed := range uint64(20) {
		fs := vfs.NewCrashableMem()
		o := small
		o.FS = fs
		d := openDir(t, "data", o)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				if _, err := d.Log("alerts").Append([]cloudevent.Event{eventOf("a", string(rune('0'+i)))}, time.Now()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		o.FS = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed * 5), RNG: rand.New(rand.NewPCG(seed, 0))})
		after := openDir(t, "data", o)
		if got, err := after.Log("alerts").Read("a", 0, 10); err != nil || len(got) != 4 {
			t.Errorf("seed %d: %d of 4 acknowledged events, %v", seed, len(got), err)
		}
		after.Close()
		d.Close()
	}
}

type tightFS struct {
	vfs.FS
	free uint64
}

func (f *tightFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: f.free}, nil
}

func TestLittleRoomRefusesWrites(t *testing.T) {
	fs := &tightFS{vfs.NewMem(), 1 << 20}
	o := small
	o.FS = fs
	d := openDir(t, "data", o)
	defer d.Close()
	_, err := d.Log("alerts").Append([]cloudevent.Event{eventOf("a", "1")}, time.Now())
	if fault.Of(err) != fault.Exhausted || !strings.Contains(err.Error(), "free") {
		t.Errorf("Append = %v", err)
	}
	fs.free = 1 << 40
	d.space.next = time.Time{} // as if the time until the next look had passed
	if _, err := d.Log("alerts").Append([]cloudevent.Event{eventOf("a", "1")}, time.Now()); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestFullDiskIsAnError(t *testing.T) {
	mem := vfs.NewMem()
	var full faultToggle
	o := small
	o.FS = errorfs.Wrap(mem, &full)
	d := openDir(t, "data", o)
	full.setOn(true)
	for range 3 { // the first meets the disk, the others the broken log writer
		if _, err := d.Log("alerts").Append([]cloudevent.Event{eventOf("a", "lost")}, time.Now()); fault.Of(err) != fault.Exhausted {
			t.Errorf("Append on a full disk = %v", err)
		}
	}
	full.setOn(false)
	if err := d.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// faultToggle makes writes to the write-ahead log fail as on a full disk.
type faultToggle struct {
	mu sync.Mutex
	on bool
}

func (i *faultToggle) setOn(on bool) { i.mu.Lock(); i.on = on; i.mu.Unlock() }

func (i *faultToggle) String() string { return "full disk" }

func (i *faultToggle) MaybeError(op errorfs.Op) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.on && strings.HasSuffix(op.Path, ".log") && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
		return syscall.ENOSPC
	}
	return nil
}

func TestTimeKeysSort(t *testing.T) {
	times := []time.Time{{}, time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(0, 0), time.Unix(0, 1), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i := 1; i < len(times); i++ {
		if TimeKey(times[i-1]) >= TimeKey(times[i]) {
			t.Errorf("%v does not sort before %v", times[i-1], times[i])
		}
	}
	if at := times[5]; !KeyTime(TimeKey(at)).Equal(at) || !KeyTime(0).IsZero() {
		t.Error("KeyTime does not give back what TimeKey took")
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(AppendEvent(nil, eventOf("a", "1"), time.Unix(1, 2)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, published, err := ParseEvent(b)
		data, dataErr := eventData(b)
		if (err == nil) != (dataErr == nil) || string(data) != string(e.Data) && err == nil {
			t.Fatalf("ParseEvent: %v, eventData: %v", err, dataErr)
		}
		if err != nil {
			return
		}
		again, _, err := ParseEvent(AppendEvent(nil, e, published))
		if err != nil || again.ID != e.ID || string(again.Data) != string(e.Data) {
			t.Fatalf("%v became %v, %v", e, again, err)
		}
	})
}

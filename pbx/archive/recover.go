package archive

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

// shortest is what is kept of what was being recorded when the process ended.
const shortest = time.Second

// restore puts in order what the last process left behind, and fills memory. The error is that of the directory or the rows; what
// is wrong with a single sound is logged.
func (a *Archive) restore() error {
	for _, dir := range []string{recordingsDir, mailboxesDir} {
		if err := a.files.Mkdir(dir); err != nil {
			return err
		}
	}
	if err := a.recoverMessages(); err != nil {
		return err
	}
	return a.recoverRecordings()
}

// folder is the sound in a folder.
type folder struct {
	dir   string
	names map[string]bool // whether a row belongs to it
}

func (a *Archive) list(dir string) (*folder, error) {
	names, err := a.files.Names(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir, make(map[string]bool, len(names))}
	for _, n := range names {
		f.names[n] = false
	}
	return f, nil
}

// has reports whether a file is there, which a row belongs to.
func (f *folder) has(name string) bool {
	if _, ok := f.names[name]; ok {
		f.names[name] = true
		return true
	}
	return false
}

// found is the fate of a row.
type found int

const (
	missing found = iota
	entire
	repaired
	failed
)

// look finds the file of a row, and repairs it if it was not done. size is that of the sound of what was not done.
func (a *Archive) look(f *folder, id string, channels int, done bool) (what found, size int64) {
	name := f.dir + "/" + id
	switch hasWhole, hasPart := f.has(id+whole), f.has(id+part); {
	case hasWhole && done:
		return entire, 0
	case hasWhole:
		info, err := a.files.Stat(name + whole)
		if err != nil {
			a.log.Error("a recording cannot be read", "file", name+whole, "err", err)
			return failed, 0
		}
		return entire, max(0, info.Size()-wav.HeaderSize)
	case hasPart:
		size, err := a.repair(name, channels)
		if err != nil {
			a.log.Error("a recording that was not ended cannot be repaired; the next start tries again", "file", name+part, "err", err)
			return failed, 0
		}
		if size > 0 {
			a.log.Warn("the PBX stopped while this was recorded; what there is of it is kept", "file", name+whole, "length", lengthOf(size, channels))
			return repaired, size
		}
	}
	return missing, 0
}

// repair makes a whole file of one that was being recorded, or removes it if there is too little in it: then size is 0.
func (a *Archive) repair(name string, channels int) (size int64, err error) {
	info, err := a.files.Stat(name + part)
	if err != nil {
		return 0, err
	}
	frame := int64(sampleBytes * channels)
	size = (info.Size() - wav.HeaderSize) / frame * frame
	if size < int64(shortest.Seconds())*int64(rate(channels)) {
		return 0, a.files.Remove(name + part)
	}
	f, err := a.files.Open(name + part)
	if err != nil {
		return 0, err
	}
	err = f.Truncate(wav.HeaderSize + size)
	if err == nil {
		_, err = f.WriteAt(wav.AppendHeader(nil, channels, wav.Rate, size), 0)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	if err := a.files.Rename(name+part, name+whole); err != nil {
		return 0, err
	}
	return size, a.files.SyncDir(path.Dir(name))
}

func (a *Archive) recoverMessages() error {
	folders, err := a.mailboxFolders()
	if err != nil {
		return err
	}
	type row struct {
		m    pbx.VoiceMessage
		done bool
	}
	var rows []row
	if err := a.rows.EachMessage(a.ctx, func(m pbx.VoiceMessage, done bool) { rows = append(rows, row{m, done}) }); err != nil {
		return err
	}
	var gone []pbx.VoiceMessage // done, and without a file
	var trash []string
	files := 0
	for _, r := range rows {
		m := r.m
		f := folders[m.Mailbox]
		if f == nil {
			f = &folder{boxDir(m.Mailbox), map[string]bool{}}
		}
		what, size := a.look(f, m.ID, 1, r.done)
		if what != missing {
			files++
		}
		switch {
		case what == missing && r.done:
			gone = append(gone, m)
			continue
		case what == missing:
			trash = append(trash, m.ID)
			continue
		case what == failed && !r.done:
			continue
		case what != failed && (!r.done || what == repaired):
			m.Length = lengthOf(size, 1)
			if err := a.rows.SaveMessage(a.ctx, m, true); err != nil {
				return err
			}
		}
		a.count(m, 1)
	}
	forget := len(gone) > 0 && a.mayForget("messages", len(gone), files)
	for _, m := range gone {
		if forget {
			trash = append(trash, m.ID)
		} else {
			a.count(m, 1)
		}
	}
	if err := a.rows.DeleteMessages(a.ctx, trash...); err != nil {
		return err
	}
	for mailbox, f := range folders {
		for name, known := range f.names {
			if !known && !a.isGreetingFile(mailbox, name) {
				a.stray(f.dir, name, escape(mailbox)+".")
			}
		}
	}
	return nil
}

// mayForget reports whether rows without a file are to be removed. Where more files are missing than there are, a disk is not mounted
// more likely than that each of them was removed by hand.
func (a *Archive) mayForget(what string, gone, files int) bool {
	if gone > 1 && gone > files {
		a.log.Error("most files of "+what+" are missing; is their disk mounted?", "missing", gone, "there", files)
		return false
	}
	a.log.Warn(what+" are taken off the list because their files are gone", "missing", gone)
	return true
}

// mailboxFolders are those of mailboxes, by number.
func (a *Archive) mailboxFolders() (map[string]*folder, error) {
	names, err := a.files.Names(mailboxesDir)
	if err != nil {
		return nil, err
	}
	folders := map[string]*folder{}
	for _, n := range names {
		mailbox := unescape(n)
		info, err := a.files.Stat(mailboxesDir + "/" + n)
		if mailbox == "" || err != nil || !info.IsDir() {
			a.log.Warn("this is not of the PBX", "file", mailboxesDir+"/"+n)
			continue
		}
		if folders[mailbox], err = a.list(boxDir(mailbox)); err != nil {
			return nil, err
		}
	}
	return folders, nil
}

// isGreetingFile notes greetings, and removes those that were being recorded.
func (a *Archive) isGreetingFile(mailbox, name string) bool {
	rest, ok := strings.CutPrefix(name, greetingName)
	if !ok {
		return false
	}
	if g, ok := strings.CutSuffix(rest, whole); ok && isGreeting(pbx.Greeting(g)) {
		a.setGreeting(mailbox, pbx.Greeting(g), true)
		return true
	}
	g, id, _ := strings.Cut(rest, ".")
	if id, ok := strings.CutSuffix(id, part); ok && isID(id) && isGreeting(pbx.Greeting(g)) {
		if err := a.files.Remove(boxDir(mailbox) + "/" + name); err != nil {
			a.log.Error("a greeting that was not ended cannot be removed", "file", boxDir(mailbox)+"/"+name, "err", err)
		}
		return true
	}
	return false
}

func (a *Archive) recoverRecordings() error {
	f, err := a.list(recordingsDir)
	if err != nil {
		return err
	}
	var gone []pbx.Recording
	var trash []string
	var save []pbx.Recording
	files := 0
	err = a.rows.EachRecording(a.ctx, func(r pbx.Recording, done bool) {
		what, size := a.look(f, r.ID, r.Channels, done)
		if what != missing {
			files++
		}
		switch {
		case what == missing && done:
			gone = append(gone, r)
			return
		case what == missing:
			trash = append(trash, r.ID)
			return
		case what == failed && !done:
			return
		case what != failed && (!done || what == repaired):
			r.Length, r.Bytes = lengthOf(size, r.Channels), wav.HeaderSize+size
			if what == repaired {
				r.Problem = errStopped.Error()
			}
			save = append(save, r)
		}
		a.sum(r, 1)
	})
	if err != nil {
		return err
	}
	for _, r := range save {
		if err := a.rows.SaveRecording(a.ctx, r, true); err != nil {
			return err
		}
	}
	forget := len(gone) > 0 && a.mayForget("recordings", len(gone), files)
	for _, r := range gone {
		if forget {
			trash = append(trash, r.ID)
		} else {
			a.sum(r, 1)
		}
	}
	if err := a.rows.DeleteRecordings(a.ctx, trash...); err != nil {
		return err
	}
	for name, known := range f.names {
		if !known {
			a.stray(f.dir, name, "")
		}
	}
	return nil
}

// stray deals with a file that no row belongs to: sound goes to lost/, where somebody may look for it, what has none is removed, and
// what is not ours is left alone.
func (a *Archive) stray(dir, name, prefix string) {
	file := dir + "/" + name
	id, isPart := strings.CutSuffix(name, part)
	if !isPart {
		id, _ = strings.CutSuffix(name, whole)
	}
	if !isID(id) || id == name {
		a.log.Warn("this is not of the PBX", "file", file)
		return
	}
	info, err := a.files.Stat(file)
	if err == nil && info.Size() <= wav.HeaderSize {
		if err = a.files.Remove(file); err == nil {
			return
		}
	}
	if err == nil {
		err = a.files.Mkdir(lostDir)
	}
	to := lostDir + "/" + prefix + name
	if _, there := a.files.Stat(to); err == nil && !errors.Is(there, fs.ErrNotExist) {
		err = fs.ErrExist
	}
	if err == nil {
		err = a.files.Rename(file, to)
	}
	if err != nil {
		a.log.Error("a recording that nothing is known of is left where it is", "file", file, "err", err)
		return
	}
	a.log.Warn("a recording that nothing is known of was put away", "file", file, "to", to)
}

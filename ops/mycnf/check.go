package mycnf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// clientSections are read by client programs only; the operator owns nothing there.
var clientSections = []string{
	"client", "client-mariadb", "client-server", "mysql", "mysqladmin", "mysqlbinlog", "mysqlcheck", "mysqldump",
	"mysqlimport", "mysqlshow", "mysqlslap",
}

// mostErrors is how many lines of a file are told one by one. Whoever gave the wrong file would have to read thousands.
const mostErrors = 10

// Check returns what is wrong with a file: what, in which line, and what would be right. It is for the eyes of whoever
// wrote the file, but its texts show no values.
func (d Dialect) Check(file, content string) []error {
	doc := parse(content, d.Section)
	if len(doc) == 0 || !slices.ContainsFunc(doc, func(l line) bool { return l.kind != blank }) {
		return []error{fmt.Errorf("%s: the file is empty; write at least one option, or leave the file out", file)}
	}
	var errs []error
	wrong := 0
	for _, l := range doc {
		err := d.checkLine(l)
		if err == nil {
			continue
		}
		if wrong++; wrong <= mostErrors {
			errs = append(errs, fmt.Errorf("%s, %w", file, err))
		}
	}
	if wrong > mostErrors {
		errs = append(errs, fmt.Errorf("%s: and so on, %d lines in all; is this a configuration file?", file, wrong))
	}
	return errs
}

func (d Dialect) checkLine(l line) error {
	if l.kind == unreadable {
		return l.err()
	}
	if l.kind != option || slices.Contains(clientSections, l.section) {
		return nil
	}
	owned := d.owner(l.key)
	if owned == "" {
		return nil
	}
	why, itself := d.Owned[owned], spell(l.key) == owned
	var text string
	switch {
	case why == setByOperator && itself:
		text = fmt.Sprintf("the operator sets %q itself", l.key)
	case why == setByOperator:
		text = fmt.Sprintf("%q sets %q, which the operator sets itself", l.key, owned)
	case itself:
		text = fmt.Sprintf("%q may not be set here: %s", l.key, why)
	default:
		text = fmt.Sprintf("%q sets %q, which may not be set here: %s", l.key, owned, why)
	}
	return fmt.Errorf("line %d, section [%s]: %s; remove the line", l.number, l.section, text)
}

func (l line) err() error { return fmt.Errorf("line %d: %s", l.number, l.wrong) }

// readable returns an error with the lines that cannot be read.
func (doc document) readable() error {
	var errs []string
	for _, l := range doc {
		if l.kind != unreadable {
			continue
		}
		if len(errs) == mostErrors {
			errs = append(errs, "and so on")
			break
		}
		errs = append(errs, l.err().Error())
	}
	if len(errs) == 0 {
		return nil
	}
	return errors.New(strings.Join(errs, "; "))
}

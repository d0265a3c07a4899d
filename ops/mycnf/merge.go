package mycnf

import (
	"fmt"
	"slices"
)

// Merge writes the options of change into old, section by section and key by key. What change says wins; an option that
// old has keeps its place, a new one goes to the end of its section, a new section to the end of the file. An option that
// may be given several times, such as replicate-do-db, is replaced as a whole. Comments and blank lines of old stay;
// comments directly above an option of change come along. Merging the same change again changes nothing.
func (d Dialect) Merge(old, change string) (string, error) {
	into, from := parse(old, d.Section), parse(change, d.Section)
	if err := into.readable(); err != nil {
		return "", fmt.Errorf("present file: %w", err)
	}
	if err := from.readable(); err != nil {
		return "", fmt.Errorf("new settings: %w", err)
	}
	if !slices.ContainsFunc(into, func(l line) bool { return l.kind != blank }) {
		return from.headed(d.Section).String(), nil
	}
	into = into.headed(d.Section)
	for _, s := range from.settings() {
		into = into.with(s)
	}
	return into.String(), nil
}

// headed returns the document with a header above the options that have none.
func (doc document) headed(section string) document {
	for _, l := range doc {
		if l.kind == header {
			return doc
		}
		if l.kind == option {
			return slices.Concat(document{newHeader(section)}, doc)
		}
	}
	return doc
}

func newHeader(section string) line {
	return line{kind: header, raw: "[" + section + "]", section: section}
}

// setting is one option of a section with all the lines that give it.
type setting struct {
	section, id string
	// given holds, for each time the option is given, the comments directly above it and the option itself.
	given []document
}

// settings returns what a document sets, in order of first mention.
func (doc document) settings() []setting {
	var all []setting
	var above document
	for _, l := range doc {
		if l.kind == comment {
			above = append(above, l)
			continue
		}
		if l.kind == option {
			id := identity(l.key)
			i := slices.IndexFunc(all, func(s setting) bool { return s.section == l.section && s.id == id })
			if i < 0 {
				i, all = len(all), append(all, setting{section: l.section, id: id})
			}
			all[i].given = append(all[i].given, append(above, l))
		}
		above = nil
	}
	return all
}

// with returns the document with the setting in it: each time it is given takes the place of one there, in order; what
// is left of the old ones goes, what is left of the new ones follows the last.
func (doc document) with(s setting) document {
	var result document
	rest := s.given
	last := -1
	for _, l := range doc {
		if l.kind != option || l.section != s.section || identity(l.key) != s.id {
			result = append(result, l)
			continue
		}
		if len(rest) > 0 {
			result = result.put(rest[0])
			rest, last = rest[1:], len(result)
		}
	}
	if last < 0 {
		result, last = result.room(s.section)
	}
	for _, lines := range rest {
		result = slices.Insert(result, last, lines...)
		last += len(lines)
	}
	return result
}

// put appends an option and the comments above it, unless those comments are there already.
func (doc document) put(lines document) document {
	comments, opt := lines[:len(lines)-1], lines[len(lines)-1]
	same := func(a, b line) bool { return a.raw == b.raw }
	if len(doc) < len(comments) || !slices.EqualFunc(doc[len(doc)-len(comments):], comments, same) {
		doc = append(doc, comments...)
	}
	return append(doc, opt)
}

// room returns where a new option of the section goes: behind its last option, else behind its last header. A section
// that is not there is added at the end.
func (doc document) room(section string) (document, int) {
	at := -1
	for i, l := range doc {
		if l.section == section && (l.kind == option || (l.kind == header && at < 0)) {
			at = i
		}
	}
	if at >= 0 {
		return doc, at + 1
	}
	if last := doc[len(doc)-1]; last.kind != blank {
		doc = append(doc, line{kind: blank})
	}
	doc = append(doc, newHeader(section))
	return doc, len(doc)
}

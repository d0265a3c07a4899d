package mycnf

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/ini.v1"
)

// A line is longer than a server reads at once: it would take the rest for a line of its own, which nobody checked.
const longestLine = 4000

type lineKind int

const (
	blank lineKind = iota
	comment
	header
	option
	unreadable
)

// line is one line of an option file. raw survives as it was written; the rest is what it means.
type line struct {
	kind    lineKind
	raw     string
	number  int    // from 1; 0 for lines that were not read from a file
	section string // of headers and options
	key     string // of options, as written
	wrong   string // of unreadable lines: what is wrong and what would be right
}

// document is an option file line by line. The lines are kept, because an ini library drops the blank ones and those
// comments that belong to no key.
type document []line

// parse reads a file. Lines before the first header belong to the section given. It never fails: what cannot be read is
// in the document as such.
func parse(content, section string) document {
	content = strings.TrimSuffix(strings.ReplaceAll(content, "\r\n", "\n"), "\n")
	if content == "" {
		return nil
	}
	doc := make(document, 0, strings.Count(content, "\n")+1)
	for raw := range strings.SplitSeq(content, "\n") {
		l := readLine(raw)
		l.number = len(doc) + 1
		if l.kind == header {
			section = l.section
		}
		l.section = section
		doc = append(doc, l)
	}
	return doc
}

func readLine(raw string) line {
	text := strings.Trim(raw, " \t")
	switch {
	case foreign(raw) != "":
		return line{kind: unreadable, raw: raw, wrong: foreign(raw)}
	case text == "":
		return line{kind: blank, raw: raw}
	case text[0] == '#' || text[0] == ';':
		return line{kind: comment, raw: raw}
	case text[0] == '!':
		return line{kind: unreadable, raw: raw, wrong: `directives such as "!include" are not allowed; write the settings themselves into the file`}
	case text[0] == '[':
		return readHeader(raw, text)
	}
	return readOption(raw, text)
}

// foreign says what in the line no option file may hold.
func foreign(raw string) string {
	if len(raw) > longestLine {
		return fmt.Sprintf("the line has %d bytes, but servers read no more than %d of a line; make it shorter", len(raw), longestLine)
	}
	if !utf8.ValidString(raw) {
		return "the line is not valid UTF-8; save the file as UTF-8"
	}
	for _, r := range raw {
		if r == '\ufeff' {
			return "there is a byte order mark; save the file as UTF-8 without one"
		}
		if r != '\t' && (unicode.IsControl(r) || r == '\u2028' || r == '\u2029') {
			return fmt.Sprintf("there is a control character (%U); remove it", r)
		}
	}
	return ""
}

var name = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

func readHeader(raw, text string) line {
	inner, after, closed := strings.Cut(text[1:], "]")
	inner, after = strings.Trim(inner, " \t"), strings.TrimLeft(after, " \t")
	switch {
	case !closed:
		return line{kind: unreadable, raw: raw, wrong: `the section header is not closed; write it as "[name]"`}
	case !name.MatchString(inner):
		return line{kind: unreadable, raw: raw, wrong: `the section has no name that can be used; write letters, digits, "_", "-" and "."`}
	case after != "" && after[0] != '#' && after[0] != ';':
		return line{kind: unreadable, raw: raw, wrong: "something follows the section header; put it on a line of its own"}
	}
	return line{kind: header, raw: raw, section: inner}
}

// syntax makes the ini library read as a server does: an option may have no value, and nothing continues on the next line.
var syntax = ini.LoadOptions{
	AllowBooleanKeys:    true,
	IgnoreContinuation:  true,
	IgnoreInlineComment: true,
	KeyValueDelimiters:  "=",
}

// readOption gives the library one line at a time: it would take a value in backticks for one that goes on over many
// lines, and a server takes each of those lines for an option.
func readOption(raw, text string) line {
	text = uncommented(text)
	if key, ok := plainKey(text); ok {
		return line{kind: option, raw: raw, key: key}
	}
	bad := line{kind: unreadable, raw: raw, wrong: `this is no option; write it as "name = value" or "name"`}
	file, err := ini.LoadSources(syntax, []byte(text))
	if err != nil {
		return bad
	}
	keys := file.Section(ini.DefaultSection).Keys()
	if len(keys) != 1 || !name.MatchString(keys[0].Name()) || !strings.HasPrefix(text, keys[0].Name()) {
		return bad
	}
	return line{kind: option, raw: raw, key: keys[0].Name()}
}

// uncommented leaves out a comment that ends the line. In the value it is no matter here, in the key it would hide what the
// key is.
func uncommented(text string) string {
	if i := strings.IndexAny(text, "#="); i >= 0 && text[i] == '#' {
		return strings.TrimRight(text[:i], " \t")
	}
	return text
}

// plainKey is the key of an option without anything that could be quoting, which is nearly every one. The library would
// find the same; asking it for each line of a large file takes seconds.
func plainKey(text string) (key string, ok bool) {
	if strings.ContainsAny(text, "\"'`\\") {
		return "", false
	}
	key, _, _ = strings.Cut(text, "=")
	key = strings.TrimRight(key, " \t")
	return key, name.MatchString(key)
}

// String writes the file, one line feed after each line.
func (doc document) String() string {
	size := 0
	for _, l := range doc {
		size += len(l.raw) + 1
	}
	var b strings.Builder
	b.Grow(size)
	for _, l := range doc {
		b.WriteString(l.raw)
		b.WriteByte('\n')
	}
	return b.String()
}

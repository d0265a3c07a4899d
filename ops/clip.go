package ops

import "unicode/utf8"

// Clip cuts a text that is longer than that many bytes, at the end of a character, and lets it end with an ellipsis.
func Clip(text string, most int) string {
	const ellipsis = "…"
	if len(text) <= most {
		return text
	}
	cut := max(0, most-len(ellipsis))
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + ellipsis
}

package ops

import "testing"

func TestClip(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 5, ""}, {"12345", 5, "12345"}, {"123456", 5, "12…"}, {"1ää", 5, "1ää"}, {"1äää", 5, "1…"}, {"1234", 3, "…"}, {"1234", 0, "…"},
	} {
		if got := Clip(c.text, c.most); got != c.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

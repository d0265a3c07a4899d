package webhooks

// TakePlaces takes every place of large reviews, and returns how to give them back.
func TakePlaces() (free func()) {
	for range cap(places) {
		places <- struct{}{}
	}
	return func() {
		for range cap(places) {
			<-places
		}
	}
}

// Excessive is excessive.
var Excessive = excessive

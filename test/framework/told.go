package framework

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// reasons are what the operator's events of a request may say, and how serious each is.
var reasons = map[string]string{
	"Starting": corev1.EventTypeNormal, "Successful": corev1.EventTypeNormal,
	"Undoing": corev1.EventTypeWarning, "Failed": corev1.EventTypeWarning,
	"Canceling": corev1.EventTypeNormal, "Canceled": corev1.EventTypeNormal,
}

// eventsAreFew: a request's events tell of its start, its failure or cancel, and its end, each once; success is no warning.
func eventsAreFew(w *world, _ client.Object, e Event) string {
	event, ok := e.Object.(*eventsv1.Event)
	if !ok || e.Type != watch.Added || !strings.HasSuffix(event.Regarding.Kind, "OpsRequest") {
		return ""
	}
	about := event.Regarding.Name + " " + event.Reason
	if kind, known := reasons[event.Reason]; !known || kind != event.Type {
		return fmt.Sprintf("%s is told as %s", about, event.Type)
	}
	for uid, o := range w.objects {
		other, ok := o.(*eventsv1.Event)
		if ok && uid != event.UID && other.Regarding.UID == event.Regarding.UID && other.Reason == event.Reason {
			return about + " is told twice"
		}
	}
	return ""
}

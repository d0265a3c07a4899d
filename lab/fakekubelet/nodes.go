package fakekubelet

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// nodeLabel marks the nodes whose pods are served here; pods on other nodes are left alone, so that real
// kubelets can join the lab.
const nodeLabel = annotationPrefix + "fake-node"

// zones are spread over the nodes, for topology spread constraints.
var zones = []string{"lab-a", "lab-b", "lab-c"}

// RegisterNodes makes the fake nodes: ready, without taints and with room for thousands of pods. Nobody
// sends heartbeats: the node lifecycle controller does not run in the lab.
func RegisterNodes(ctx context.Context, client kubernetes.Interface, count int) error {
	for i := range count {
		name := fmt.Sprintf("lab-node-%d", i)
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
				nodeLabel:                      "true",
				corev1.LabelHostname:           name,
				corev1.LabelOSStable:           "linux",
				corev1.LabelArchStable:         "amd64",
				corev1.LabelTopologyZone:       zones[i%len(zones)],
				corev1.LabelTopologyRegion:     "lab",
				"node.kubernetes.io/fake":      "true",
				corev1.LabelInstanceTypeStable: "fake",
			}},
			Spec: corev1.NodeSpec{ProviderID: "fake://" + name},
		}
		if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create node %s: %w", name, err)
		}
		if err := makeReady(ctx, client, name, hostIP(i)); err != nil {
			return err
		}
	}
	return nil
}

// hostIP is the address of the i-th node.
func hostIP(i int) string { return fmt.Sprintf("10.0.%d.%d", i/250, i%250+1) }

// makeReady writes the node's status and removes the taint that admission gave it.
func makeReady(ctx context.Context, client kubernetes.Interface, name, ip string) error {
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		node.Status = nodeStatus(node.Status, ip)
		if node, err = client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
			return err
		}
		taints := slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeNotReady })
		if len(taints) == 0 {
			taints = nil
		}
		node.Spec.Taints = taints
		_, err = client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("make node %s ready: %w", name, err)
	}
	return nil
}

func nodeStatus(status corev1.NodeStatus, ip string) corev1.NodeStatus {
	now := metav1.Now()
	status.Capacity = corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("4000"),
		corev1.ResourceMemory:           resource.MustParse("16Ti"),
		corev1.ResourceEphemeralStorage: resource.MustParse("100Ti"),
		corev1.ResourcePods:             resource.MustParse("5000"),
	}
	status.Allocatable = status.Capacity.DeepCopy()
	status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: ip}}
	status.NodeInfo.KubeletVersion, status.NodeInfo.OperatingSystem, status.NodeInfo.Architecture = "v0.0.0-fake", "linux", "amd64"
	status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "FakeKubeletReady", Message: "this node is an object only",
		LastHeartbeatTime: now, LastTransitionTime: now,
	}}
	return status
}

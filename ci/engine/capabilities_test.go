package engine

import "testing"

func TestBounding(t *testing.T) {
	full, err := Bounding("000001ffffffffff\n")
	if err != nil || len(full) != len(CapabilityNames) {
		t.Fatalf("%d of %d capabilities, %v", len(full), len(CapabilityNames), err)
	}
	lacking, err := Bounding("000001fffeffffff")
	if err != nil || len(lacking) != len(CapabilityNames)-1 || lacking["CAP_SYS_RESOURCE"] || !lacking["CAP_SYS_ADMIN"] {
		t.Errorf("bit 24 is CAP_SYS_RESOURCE and alone unset, but: %v, %v", lacking, err)
	}
	if _, err := Bounding("none"); err == nil {
		t.Error("no error of what is no number")
	}
}

package cosmos

import (
	"container/heap"
	"net/http"

	"github.com/onepane/onepane/infra/local/cosmos/sql"
)

// transaction is what one request does to one logical partition: all of it or nothing. Every item it writes has the
// same log sequence number, so that a feed shows it whole.
type transaction struct {
	*call
	p      *partition
	staged map[string]*item // nil for deleted
	order  []string         // of staged
	grown  int64            // bytes
	charge float64
}

// operation is one thing done to one item: a request of its own or a line of a batch.
type operation struct {
	kind        Kind
	id          string
	body        []byte
	ifMatch     string
	ifNoneMatch string
}

// chargeOperation puts one operation's charge on the account's meter and on the partition's.
func (t *transaction) chargeOperation(kind Kind, charge float64, err error) {
	more := Usage{Operations: 1, Charge: charge}
	if err != nil {
		more.Refused = 1
	}
	t.addUsage(kind, more)
	t.p.meter.addCharge(t.now, charge)
}

// findItem is an item as the transaction sees it: what it staged itself comes before what is stored.
func (t *transaction) findItem(id string) *item {
	if it, ok := t.staged[id]; ok {
		return it
	}
	return t.p.items[id]
}

// carryOut carries out one operation and adds what it costs. The item is the one written or read, nil after a delete.
func (t *transaction) carryOut(op operation) (status int, it *item, err error) {
	switch op.kind {
	case Read:
		return t.readItem(op)
	case Delete:
		return t.deleteItem(op)
	case Patch:
		return t.patchItem(op)
	case Create, Upsert, Replace:
		return t.writeItem(op)
	}
	return 0, nil, refuseBadRequest("operation type %q is not known", op.kind)
}

// chargeRefused charges for having looked.
func (t *transaction) chargeRefused(found *item, err error) (int, *item, error) {
	if found != nil {
		t.charge += ReadCharge(found.storedSize())
	} else {
		t.charge += refusedCharge
	}
	return 0, nil, err
}

func (t *transaction) readItem(op operation) (int, *item, error) {
	found := t.findItem(op.id)
	if found == nil {
		return t.chargeRefused(nil, refuseMissingItem())
	}
	if op.ifNoneMatch == found.etag || op.ifNoneMatch == "*" {
		t.charge += refusedCharge
		return http.StatusNotModified, found, nil
	}
	t.charge += ReadCharge(found.storedSize())
	return http.StatusOK, found, nil
}

func (t *transaction) deleteItem(op operation) (int, *item, error) {
	found := t.findItem(op.id)
	if found == nil {
		return t.chargeRefused(nil, refuseMissingItem())
	}
	if err := checkPrecondition(op, found); err != nil {
		return t.chargeRefused(found, err)
	}
	t.stageItem(op.id, nil)
	t.charge += writeChargeOf(found, nil)
	return http.StatusNoContent, nil, nil
}

// writeItem creates, upserts or replaces.
func (t *transaction) writeItem(op operation) (int, *item, error) {
	doc, err := parseDocument(op.body)
	if err != nil {
		return t.chargeRefused(nil, err)
	}
	id, _ := doc.valueAt(sql.Path{"id"}).(string)
	if err := t.checkDocument(op, doc, id); err != nil {
		return t.chargeRefused(nil, err)
	}
	found := t.findItem(id)
	switch {
	case found != nil && op.kind == Create:
		return t.chargeRefused(found, refuseConflict("Entity with the specified id already exists in the system."))
	case found == nil && op.kind == Replace:
		return t.chargeRefused(nil, refuseMissingItem())
	}
	if err := checkPrecondition(op, found); err != nil {
		return t.chargeRefused(found, err)
	}
	return t.putItem(found, doc, id)
}

// putItem stages a document in place of found, which is nil when there was none.
func (t *transaction) putItem(found *item, doc *document, id string) (int, *item, error) {
	it := &item{document: *doc, id: id, key: t.p.key, lsn: t.c.lsn + 1}
	rid := ""
	if found != nil {
		rid = found.rid
	} else {
		rid = t.server.catalog.nextRID()
	}
	it.addSystemProperties(rid, t.server.catalog.nextETag(), t.now.Unix())
	it.terms, it.expires = t.c.index.termsOf(it), t.c.expiryOf(it)
	if err := t.checkUnique(it); err != nil {
		return t.chargeRefused(found, err)
	}
	grown := it.storedSize()
	if found != nil {
		grown -= found.storedSize()
	}
	if grown > 0 && t.p.bytes+t.grown+grown > t.server.options.PartitionBytes {
		return t.chargeRefused(found, newRefusal(http.StatusForbidden, "Forbidden",
			"Partition key reached maximum size of %d bytes", t.server.options.PartitionBytes).withSubstatus(1014))
	}
	t.stageItem(id, it)
	t.charge += writeChargeOf(found, it)
	if found == nil {
		return http.StatusCreated, it, nil
	}
	return http.StatusOK, it, nil
}

// checkDocument holds a body against what every item must be.
func (t *transaction) checkDocument(op operation, doc *document, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if op.id != "" && op.id != id {
		return refuseBadRequest("the id %q in the path is not the id %q of the item", op.id, id)
	}
	if doc.size > maxItem {
		return newRefusal(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Request size is too large: the item has %d bytes", doc.size)
	}
	k, err := t.c.keyOfItem(doc)
	if err != nil {
		return err
	}
	if k.text != t.p.key.text {
		return refuseBadRequest("PartitionKey extracted from document doesn't match the one specified in the header").withSubstatus(1001)
	}
	return checkItemTTL(doc)
}

// checkPrecondition checks If-Match against what is there, and If-None-Match: * that nothing is. An upsert of what is
// not there ignores If-Match and creates. Source: github.com/Azure/azure-cosmos-dotnet-v3 issue 1698,
// github.com/Azure/azure-sdk-for-java pull request 43717.
func checkPrecondition(op operation, found *item) error {
	if found != nil && (op.ifMatch != "" && op.ifMatch != "*" && op.ifMatch != found.etag || op.ifNoneMatch == "*") {
		return refusePrecondition()
	}
	return nil
}

func refuseMissingItem() error {
	return refuseNotFound("Entity with the specified id does not exist in the system.")
}

func (t *transaction) stageItem(id string, it *item) {
	if before := t.findItem(id); before != nil {
		t.grown -= before.storedSize()
	}
	if it != nil {
		t.grown += it.storedSize()
	}
	if _, again := t.staged[id]; !again {
		t.order = append(t.order, id)
	}
	t.staged[id] = it
}

func (t *transaction) checkUnique(it *item) error {
	for _, k := range t.c.uniqueKeys(it) {
		holder, held := t.p.unique[k]
		if _, rewritten := t.staged[holder]; held && holder != it.id && !rewritten {
			return refuseConflict("Unique index constraint violation.")
		}
		for _, other := range t.staged {
			if other == nil || other.id == it.id {
				continue
			}
			for _, theirs := range t.c.uniqueKeys(other) {
				if theirs == k {
					return refuseConflict("Unique index constraint violation.")
				}
			}
		}
	}
	return nil
}

// commitStaged makes what was staged visible.
func (t *transaction) commitStaged() {
	if len(t.order) == 0 {
		return
	}
	t.c.lsn++
	for _, id := range t.order {
		if before := t.p.items[id]; before != nil {
			t.c.dropItem(t.p, before)
		}
	}
	for _, id := range t.order {
		it := t.staged[id]
		if it == nil {
			continue
		}
		t.p.items[id] = it
		t.p.sorted.putItem(it)
		if t.p.postings != nil {
			t.p.postings.addItem(it)
		}
		t.p.bytes += it.storedSize()
		for _, k := range t.c.uniqueKeys(it) {
			t.p.unique[k] = id
		}
		t.c.log = append(t.c.log, it)
		if !it.expires.IsZero() {
			heap.Push(&t.c.expiring, it)
		}
	}
}

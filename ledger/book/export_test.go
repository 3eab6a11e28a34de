package book

import "context"

// VerifyIn verifies in pages of another size, and with another number of workers.
func (b *Book) VerifyIn(ctx context.Context, pageBits uint, workers int, progress func(done, of int64)) (Verification, error) {
	return b.verify(ctx, verifyShape{pageBits, workers}, progress)
}

// KnownBlocks gives where the full blocks begin that this process posted all of and that are not rolled up.
func (b *Book) KnownBlocks() (firsts []int64) {
	b.moves.mu.Lock()
	defer b.moves.mu.Unlock()
	for _, block := range b.moves.blocks {
		if block.full() && !block.holed {
			firsts = append(firsts, int64(block.first))
		}
	}
	return firsts
}

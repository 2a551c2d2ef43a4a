"""Primary auctions: announced, bid for under seal, decided within the announced rule."""

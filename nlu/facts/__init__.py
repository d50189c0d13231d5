"""Facts: what a member states exactly (one module per fact), and the component that finds them."""

"""The purchase models by their formulas, one module each, all behind one interface: ``formulas.Formulas``."""
